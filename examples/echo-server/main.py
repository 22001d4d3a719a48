import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 50007

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.bind(("", port))  # "": every interface
    listener.listen(1)
    conn, peer = listener.accept()
with conn:
    print("接続されました by", peer, flush=True)
    while chunk := conn.recv(1024):
        conn.sendall(chunk)
