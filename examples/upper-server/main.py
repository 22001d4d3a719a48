import socketserver
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 9999


class Capitals(socketserver.BaseRequestHandler):
    def handle(self):
        text = self.request.recv(1024).strip()  # the connection to the client
        print(f"{self.client_address[0]} wrote:", text, sep="\n", flush=True)
        self.request.sendall(text.upper())


with socketserver.TCPServer(("localhost", port), Capitals) as server:
    server.serve_forever()
