import socket
import sys

HOST, PORT = "localhost", 9999
text = " ".join(sys.argv[1:])

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(5)  # the answer may be lost
    s.sendto(text.encode() + b"\n", (HOST, PORT))
    answer = s.recv(1024).decode()

print(f"Sent:     {text}\nReceived: {answer}")
