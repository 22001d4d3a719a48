//go:build interop

package smtp_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/proto/smtp/smtptest"
)

// onBoth runs a test at a server on each engine.
func onBoth(t *testing.T, o smtptest.Options, f func(t *testing.T, s *smtptest.Server, dir, ca string)) {
	for name, e := range engines() {
		t.Run(name, func(t *testing.T) {
			o := o
			o.Engine = e
			s := smtptest.NewWith(t, o)
			dir := t.TempDir()
			ca := filepath.Join(dir, "ca.pem")
			if err := os.WriteFile(ca, s.PEM, 0o600); err != nil {
				t.Fatal(err)
			}
			f(t, s, dir, ca)
		})
	}
}

// one waits for a message and checks what it says.
func one(t *testing.T, s *smtptest.Server, text string, to ...string) smtptest.Message {
	t.Helper()
	all, err := s.Wait(within(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	m := all[len(all)-1]
	if m.Text() != text || len(m.To) != len(to) {
		t.Errorf("to %v: %q", m.To, m.Data)
	}
	for _, a := range to {
		if !m.IsFor(a) {
			t.Errorf("not for %s: %v", a, m.To)
		}
	}
	s.Reset()
	return m
}

// pythonMethods is every method of smtplib.
const pythonMethods = `
import smtplib, ssl, sys
from email.message import EmailMessage
host, port, ca, kind = '127.0.0.1', int(sys.argv[1]), sys.argv[2], sys.argv[3]
ctx = ssl.create_default_context(cafile=ca)
def make(): 
    if kind == 'lmtp': return smtplib.LMTP(host, port, local_hostname='me.example')
    if kind == 'smtps': return smtplib.SMTP_SSL(host, port, context=ctx, local_hostname='me.example')
    return smtplib.SMTP(host, port, local_hostname='me.example', timeout=30)
lmtp = kind == 'lmtp'
s = make()
s.set_debuglevel(0)
s.ehlo_or_helo_if_needed()
assert s.ehlo()[0] == 250
assert s.has_extn('size') and int(s.esmtp_features['size']) > 0 and s.does_esmtp
if kind == 'smtp':
    assert s.helo()[0] == 250
    assert s.starttls(context=ctx)[0] == 220
    s.ehlo()
    assert not s.has_extn('starttls')
assert s.noop()[0] == 250 and s.rset()[0] == 250
assert b'HELP COMMAND' in s.help(), s.help()
assert s.vrfy('Crispin')[0] == 250 and s.verify('nobody')[0] == 550
assert s.expn('Example-People')[0] == 250
assert s.docmd('NOOP', 'x')[0] == 250
s.putcmd('NOOP'); assert s.getreply()[0] == 250
try: s.docmd('NOOP', 'x\r\nRSET'); s.getreply(); 
except ValueError: pass
s.close(); s = make(); s.ehlo()
if kind == 'smtp': s.starttls(context=ctx); s.ehlo()
assert s.mail('a@b.example', ['size=10'])[0] == 250
assert s.rcpt('c@d.example', ['NOTIFY=NEVER'])[0] == 250
assert s.rcpt('green@d.example')[0] == 550
assert s.data('data\n.dot\n')[0] == 250
refused = s.sendmail('a@b.example', ['c@d.example', 'green@d.example'], 'sendmail\n.\nx', mail_options=['BODY=8BITMIME'], rcpt_options=['NOTIFY=FAILURE'])
assert list(refused) == ['green@d.example'] and refused['green@d.example'][0] == 550, refused
try: s.sendmail('a@b.example', ['green@d.example'], 'x'); assert 0
except smtplib.SMTPRecipientsRefused as e: assert e.recipients['green@d.example'][0] == 550
m = EmailMessage(); m['From'] = 'a@b.example'; m['To'] = 'k\u00f6nig@d.example'; m['Subject'] = '\u00e4'; m.set_content('message\n')
assert s.send_message(m) == {}
if not lmtp:
    try: s.login('user', 'wrong'); assert 0
    except smtplib.SMTPAuthenticationError as e: assert e.smtp_code == 535
    s.user, s.password = 'user', 'password'
    mechs = s.esmtp_features['auth'].split()
    for name, f in (('PLAIN', s.auth_plain), ('LOGIN', s.auth_login), ('CRAM-MD5', s.auth_cram_md5)):
        assert name in mechs, mechs
        t = make(); t.ehlo()
        if kind == 'smtp': t.starttls(context=ctx); t.ehlo()
        t.user, t.password = 'user', 'password'
        assert t.auth(name, getattr(t, f.__name__), initial_response_ok=name != 'PLAIN')[0] == 235
        t.quit()
    assert s.login('user', 'password')[0] == 235
    assert s.sendmail('a@b.example', 'c@d.example', 'logged in\r\n') == {}
assert s.quit()[0] == 221
print('well')
`

// TestTutorial74_SMTPClients has every method of Python's smtplib at our
// server, in clear, with STARTTLS, in TLS, and as LMTP.
func TestTutorial74_SMTPClients(t *testing.T) {
	python := foreign.Python(t, 3, "smtplib")
	for _, kind := range []string{"smtp", "smtps", "lmtp"} {
		t.Run(kind, func(t *testing.T) {
			off := newOffice()
			o := smtptest.Options{TLS: kind == "smtps", Handler: func(h *smtp.Handler) { h.Backend = off }}
			if kind == "lmtp" {
				o.Kind = smtp.LMTP
			}
			onBoth(t, o, func(t *testing.T, s *smtptest.Server, dir, ca string) {
				off.Reset()
				_, port, _ := net.SplitHostPort(s.Addr)
				if out := foreign.Run(t, dir, python, "-c", pythonMethods, port, ca, kind); !strings.HasSuffix(out, "well\n") {
					t.Fatal(out)
				}
				var texts []string
				for _, m := range off.Messages() {
					_, text, _ := strings.Cut(string(m.Data), "; ")
					_, text, _ = strings.Cut(text, "\r\n")
					texts = append(texts, text)
				}
				want := []string{"data\r\n.dot\r\n", "sendmail\r\n.\r\nx\r\n"}
				if len(texts) < 3 || texts[0] != want[0] || texts[1] != want[1] || !strings.HasSuffix(texts[2], "message\r\n") {
					t.Errorf("%q", texts)
				}
				if last := off.Messages()[len(texts)-1]; kind != "lmtp" && last.Peer.User != "user" {
					t.Errorf("%+v", last.Peer)
				}
			})
		})
	}
}

func TestCurlAtOurServer(t *testing.T) {
	curl := foreign.Program(t, "curl")
	letter := "Subject: c\r\n\r\n.dot\r\nx\r\n"
	for name, more := range map[string][]string{
		"clear": {}, "tls": {"--ssl-reqd"}, "login": {"--ssl-reqd", "-u", "user:password"}, "login in clear": {"-u", "user:password"},
		"scram": {"-u", "user:password", "--login-options", "AUTH=SCRAM-SHA-256"}, "cram": {"-u", "user:password", "--login-options", "AUTH=CRAM-MD5"},
		"initial": {"-u", "user:password", "--sasl-ir", "--login-options", "AUTH=PLAIN"},
	} {
		t.Run(name, func(t *testing.T) {
			if version, err := exec.CommandContext(t.Context(), curl, "-V").Output(); name == "scram" && (err != nil || !strings.Contains(string(version), "gsasl")) {
				t.Skip("curl is built without gsasl, and with it without SCRAM")
			}
			onBoth(t, smtptest.Options{}, func(t *testing.T, s *smtptest.Server, dir, ca string) {
				args := append([]string{"-sS", "--max-time", "30", "--cacert", ca, "smtp://" + s.Addr + "/me.example", "--mail-from", "a@x.test", "--mail-rcpt", "bob@peers.test", "--mail-rcpt", "al@peers.test", "-T", "-"}, more...)
				foreign.RunWith(t, dir, letter, curl, args...)
				m := one(t, s, ".dot\r\nx\r\n", "bob@peers.test", "al@peers.test")
				if len(more) > 1 && m.Peer.User != "user" && !strings.HasPrefix(name, "tls") {
					t.Errorf("%+v", m.Peer)
				}
				if out := foreign.Run(t, dir, curl, "-sS", "smtp://"+s.Addr, "-X", "HELP"); !strings.Contains(out, "214") {
					t.Error(out)
				}
			})
		})
	}
	onBoth(t, smtptest.Options{TLS: true}, func(t *testing.T, s *smtptest.Server, dir, ca string) {
		foreign.RunWith(t, dir, letter, curl, "-sS", "--cacert", ca, s.URL, "--mail-from", "a@x.test", "--mail-rcpt", "bob@peers.test", "-T", "-")
		one(t, s, ".dot\r\nx\r\n", "bob@peers.test")
	})
}

func TestSwaksAtOurServer(t *testing.T) {
	swaks := foreign.Program(t, "swaks")
	onBoth(t, smtptest.Options{}, func(t *testing.T, s *smtptest.Server, dir, _ string) {
		base := []string{"--server", s.Addr, "--from", "a@x.test", "--to", "bob@peers.test,alice@peers.test", "--ehlo", "me.example"}
		for _, more := range [][]string{
			{}, {"--pipeline"}, {"--tls"}, {"--pipeline", "--tls", "--auth", "CRAM-MD5"}, {"--auth", "PLAIN"}, {"--auth", "LOGIN", "--tls"}, {"--protocol", "SMTP"},
		} {
			if strings.Contains(strings.Join(more, " "), "--auth") {
				more = append(more, "--auth-user", "user", "--auth-password", "password")
			}
			if out := foreign.Run(t, dir, swaks, append(base, more...)...); !strings.Contains(out, "250 2.0.0 OK") {
				t.Errorf("%q: %s", more, out)
			}
			all, err := s.Wait(within(t), 1)
			if err != nil || !strings.Contains(all[0].Header("Subject"), "test") || len(all[0].To) != 2 {
				t.Errorf("%q: %v, %v", more, all, err)
			}
			s.Reset()
		}
	})
	onBoth(t, smtptest.Options{Kind: smtp.LMTP}, func(t *testing.T, s *smtptest.Server, dir, _ string) {
		foreign.Run(t, dir, swaks, "--server", s.Addr, "--protocol", "LMTP", "--from", "a@x.test", "--to", "bob@peers.test,alice@peers.test")
		if all := s.Messages(); len(all) != 1 || len(all[0].To) != 2 || all[0].Peer.Kind != smtp.LMTP {
			t.Errorf("%v", all)
		}
	})
}

func TestMsmtpAtOurServer(t *testing.T) {
	msmtp := foreign.Program(t, "msmtp")
	onBoth(t, smtptest.Options{}, func(t *testing.T, s *smtptest.Server, dir, ca string) {
		host, port, _ := net.SplitHostPort(s.Addr)
		base := []string{"--host=" + host, "--port=" + port, "-f", "a@x.test"}
		for _, more := range [][]string{
			{"--tls=off"},
			{"--tls=on", "--tls-trust-file=" + ca},
			{"--tls=on", "--tls-trust-file=" + ca, "--auth=on", "--user=user", "--passwordeval=echo password"},
			{"--tls=on", "--tls-trust-file=" + ca, "--auth=scram-sha-256", "--user=user", "--passwordeval=echo password"},
			{"--tls=on", "--tls-trust-file=" + ca, "--dsn-notify=failure", "--dsn-return=headers"},
		} {
			args := append(append(base, more...), "bob@peers.test")
			out, err := foreign.Try(t, dir, "Subject: m\n\n.dot\n", msmtp, args...)
			if err != nil && strings.Contains(out, "not supported") || strings.Contains(out, "authentication method") {
				t.Logf("%q: %s", more, out) // built without it
				continue
			}
			if err != nil {
				t.Errorf("%q: %v\n%s", more, err, out)
				continue
			}
			one(t, s, ".dot\r\n", "bob@peers.test")
		}
	})
}

func TestOpenSSLAtOurServer(t *testing.T) {
	openssl := foreign.Program(t, "openssl")
	onBoth(t, smtptest.Options{}, func(t *testing.T, s *smtptest.Server, dir, ca string) {
		input := "EHLO x\nMAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\n" // -quiet: R and Q are letters like others
		out := foreign.RunWith(t, dir, input+"hello\n.\nQUIT\n", openssl, "s_client", "-quiet", "-ign_eof", "-crlf", "-connect", s.Addr, "-starttls", "smtp", "-CAfile", ca, "-verify_return_error")
		if !strings.Contains(out, "221 2.0.0") {
			t.Error(out)
		}
		all := s.Messages()
		if len(all) != 1 || all[0].Peer.TLS == nil {
			t.Errorf("%v\n%s", all, out)
		}
	})
}

// TestSMTPSourceAtOurServer takes a load of messages in many sessions.
func TestSMTPSourceAtOurServer(t *testing.T) {
	source := foreign.Program(t, "smtp-source")
	for _, o := range []smtptest.Options{{}, {Kind: smtp.LMTP}} {
		onBoth(t, o, func(t *testing.T, s *smtptest.Server, dir, _ string) {
			args := []string{"-s", "20", "-m", "500", "-l", "4096", "-f", "a@x.test", "-t", "bob@peers.test", "-r", "2", s.Addr}
			if o.Kind == smtp.LMTP {
				args = append([]string{"-L"}, args...)
			}
			foreign.Run(t, dir, source, args...)
			foreign.Run(t, dir, source, append([]string{"-d"}, args...)...)
			all := s.Messages()
			if len(all) != 1000 {
				t.Fatalf("%d messages", len(all))
			}
			for _, m := range all {
				if len(m.Data) < 4096 || len(m.To) != 2 {
					t.Fatalf("%d bytes to %v", len(m.Data), m.To)
				}
			}
		})
	}
}
