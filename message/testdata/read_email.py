"""Reads each message named with Python's email package and says what it sees, one line of JSON each."""

import email
import email.policy
import json
import sys


def tree(m):
    name = m.get_content_type()
    if m.is_multipart() and m.get_payload():
        return name + "(" + " ".join(tree(p) for p in m.get_payload()) + ")"
    return name


def leaves(m):
    if m.is_multipart() and m.get_payload():
        return [leaf for p in m.get_payload() for leaf in leaves(p)]
    body = m.get_payload(decode=True)
    return [(body or b"").decode("latin-1")]


def attempt(f):
    try:
        return f()
    except Exception as e:  # what an ugly message does to it is an answer too
        return "error: " + type(e).__name__


def addresses(m):
    return [
        [a.display_name, a.username, a.domain]
        for field in m.get_all("from", [])
        for a in field.addresses
    ]


for name in sys.argv[1:]:
    with open(name, "rb") as f:
        octets = f.read()
    old = email.message_from_bytes(octets)
    new = email.message_from_bytes(octets, policy=email.policy.default)
    print(
        json.dumps(
            {
                "tree": attempt(lambda: tree(old)),
                "leaves": attempt(lambda: leaves(old)),
                "subject": attempt(lambda: str(new["subject"] or "")),
                "from": attempt(lambda: addresses(new)),
                "filenames": attempt(
                    lambda: [p.get_filename() for p in new.walk() if p.get_filename()]
                ),
                "date": attempt(
                    lambda: new["date"].datetime.timestamp()
                    if new["date"] and new["date"].datetime
                    else 0
                ),
            }
        )
    )
