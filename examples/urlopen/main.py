import sys
import urllib.request

url = sys.argv[1] if len(sys.argv) > 1 else "https://www.cnn.co.jp"

with urllib.request.urlopen(url) as f:
    print(f.read(300))
