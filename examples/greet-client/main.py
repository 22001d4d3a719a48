import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 12345

with socket.socket() as s:
    s.connect((socket.gethostname(), port))
    print(s.recv(1024).decode())
