# prints: Received: CAPITALS, PLEASE
import socket

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(10)
    s.sendto(b"capitals, please\n", ("localhost", 9999))
    print("Received:", s.recv(1024).decode())
