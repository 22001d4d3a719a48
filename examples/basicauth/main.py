import urllib.error
import urllib.request

auth_handler = urllib.request.HTTPBasicAuthHandler()
auth_handler.add_password(
    realm="PDQ Application",
    uri="https://mahler:8092/site-updates.py",
    user="klem",
    passwd="kadidd!ehopper",
)
opener = urllib.request.build_opener(auth_handler)
urllib.request.install_opener(opener)

try:
    with urllib.request.urlopen("http://www.example.com/login.html") as resp:
        print(resp.status, resp.reason)
except urllib.error.HTTPError as e:
    print(e.code, e.reason)
