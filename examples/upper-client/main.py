import socket
import sys

HOST, PORT = "localhost", 9999
text = " ".join(sys.argv[1:])

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
    s.connect((HOST, PORT))
    s.sendall(text.encode() + b"\n")
    answer = s.recv(1024).decode()

print(f"Sent:     {text}\nReceived: {answer}")
