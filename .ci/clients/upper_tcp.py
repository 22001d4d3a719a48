# prints: Received: CAPITALS, PLEASE
import socket

with socket.create_connection(("localhost", 9999)) as s:
    s.sendall(b"capitals, please\n")
    print("Received:", s.recv(1024).decode())
