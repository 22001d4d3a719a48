# prints: b'Thank you for connecting'
import socket

# As on the page, the client connects to its own host's name. Where that leads to another interface than loopback,
# serve listens there only when told so (--listen), so the client goes to loopback.
host = socket.gethostname()
if not socket.gethostbyname(host).startswith("127."):
    host = "localhost"

with socket.socket() as s:
    s.connect((host, 12345))
    print(s.recv(1024))
