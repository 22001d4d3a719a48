import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 12345

with socket.socket() as listener:
    listener.bind((socket.gethostname(), port))
    listener.listen(5)
    while True:
        conn, peer = listener.accept()
        with conn:
            print("Got connection from", peer, flush=True)
            conn.sendall(b"Thank you for connecting")
