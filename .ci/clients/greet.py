# prints: b'Thank you for connecting'
import socket

with socket.socket() as s:
    s.connect((socket.gethostname(), 12345))
    print(s.recv(1024))
