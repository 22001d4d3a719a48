import socketserver
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 9999


class Capitals(socketserver.BaseRequestHandler):
    def handle(self):
        datagram, sock = self.request
        text = datagram.strip()
        print(f"{self.client_address[0]} wrote:", text, sep="\n", flush=True)
        sock.sendto(text.upper(), self.client_address)


with socketserver.UDPServer(("localhost", port), Capitals) as server:
    server.serve_forever()
