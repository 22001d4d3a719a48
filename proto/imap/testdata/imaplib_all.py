# Every method of imaplib.IMAP4, at the server on the given port.
import imaplib
import sys
import time

host, port = "127.0.0.1", int(sys.argv[1])


def ok(answer, *kinds):
    kind, data = answer
    assert kind in (kinds or ("OK",)), answer
    return data


m = imaplib.IMAP4(host, port)
assert "IDLE" not in m.capabilities and "SASL-IR" in m.capabilities
ok(m.starttls()) if "STARTTLS" in m.capabilities else None
how = sys.argv[2]
if how == "login":
    ok(m.login("mrc", "secret"))
elif how == "cram":
    ok(m.login_cram_md5("mrc", "secret"))
else:
    ok(m.authenticate("PLAIN", lambda challenge: b"\0mrc\0secret"))
ok(m.capability())
ok(m.noop())
ok(m.enable("CONDSTORE"))
ok(m.namespace())
ok(m.create("Py"))
ok(m.create('"with space"'))
ok(m.rename("Py", "Py2"))
ok(m.subscribe("Py2"))
assert any(b"Py2" in line for line in ok(m.lsub()))
ok(m.unsubscribe("Py2"))
assert any(b"with space" in line for line in ok(m.list()))
when = imaplib.Time2Internaldate(time.time())
text = b"Subject: from python\r\n\r\nhello\r\n"
uid = ok(m.append("Py2", r"(\Seen $Py)", when, text))
assert b"APPENDUID" in uid[0], uid
assert b"MESSAGES 1" in ok(m.status("Py2", "(MESSAGES UIDNEXT UNSEEN)"))[0]
assert ok(m.select("INBOX")) == [b"3"]
assert m.recent()[1][0] is not None
assert m.response("UIDVALIDITY")[1][0]
ok(m.check())
data = ok(m.fetch("1", "(UID FLAGS RFC822)"))
assert b"It was decided." in data[0][1]
assert ok(m.search(None, "FROM", '"fred"')) == [b"2"]
m.literal = "Grüß".encode()
assert ok(m.search("UTF-8", "BODY")) == [b"3"]
assert b"\\Flagged" in ok(m.store("1", "+FLAGS", r"(\Flagged)"))[0]
assert imaplib.ParseFlags(ok(m.fetch("1", "(FLAGS)"))[0]) == (b"\\Seen", b"\\Flagged")
ok(m.copy("1:2", "Py2"))
assert ok(m.uid("FETCH", "1:*", "(UID)"))
assert ok(m.sort("(SUBJECT)", "UTF-8", "ALL"))[0].split() == [b"2", b"3", b"1"]
assert ok(m.thread("REFERENCES", "UTF-8", "ALL"))
assert imaplib.Internaldate2tuple(ok(m.fetch("1", "(INTERNALDATE)"))[0])
ok(m.getquotaroot("INBOX"))
ok(m.setquota('""', "(STORAGE 100000)"))
assert b"100000" in ok(m.getquota('""'))[0]
ok(m.store("2", "+FLAGS", r"(\Deleted)"))
assert ok(m.expunge()) == [b"2"]
ok(m.uid("MOVE", "3", "Py2"))
ok(m.select("INBOX", readonly=True))
assert m.store("1", "FLAGS", "()")[0] == "NO"
ok(m.unselect()) if hasattr(m, "unselect") else ok(m.close())
ok(m.select("Py2"))
ok(m.close())
ok(m.xatom("ID", "NIL"))
for call in (lambda: m.getacl("INBOX"), lambda: m.myrights("INBOX"), lambda: m.getannotation("INBOX", '"/comment"', '"value.priv"'), lambda: m.proxyauth("ann")):
    try:
        kind, _ = call()
        assert kind != "OK"
    except m.error:
        pass
ok(m.delete("Py2"))
ok(m.delete('"with space"'))
if hasattr(m, "idle"):
    ok(m.select("INBOX"))
    with m.idle(duration=0.1) as idler:
        list(idler)
ok(m.logout(), "BYE")

m = imaplib.IMAP4(host, port)
m.login("mrc", "secret")
ok(m.enable("UTF8=ACCEPT"))
ok(m.create('"Entwürfe"'))
ok(m.append('"Entwürfe"', None, None, "Subject: Grüße\r\n\r\n".encode()))
assert ok(m.select('"Entwürfe"')) == [b"1"]
ok(m.logout(), "BYE")
print("every method")
