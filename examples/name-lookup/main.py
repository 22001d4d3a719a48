import socket
import sys
from pprint import pprint

host = sys.argv[1] if len(sys.argv) > 1 else "tutorialspoint.com"

pprint([(int(family), int(kind), proto, name, address)
        for family, kind, proto, name, address in socket.getaddrinfo(host, "www")])
print(socket.gethostname())
