# prints: b'Hello, world'
import socket

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
    s.connect(("localhost", 50007))
    s.sendall(b"Hello, world")
    print(s.recv(1024))
