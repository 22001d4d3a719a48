//go:build interop

package socket

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// namesScript answers one question a line, [function, argument...] in JSON, with
// the repr of what Python's socket module says, or the error's number and text.
const namesScript = `
import json, pprint, socket, sys
def plain(l): return [(int(f), int(t), p, c, a) for f, t, p, c, a in l]
def bound(family, host, port):
    with socket.socket(family) as s:
        s.bind((host, port)); n = s.getsockname()
        return (n[0], 0) + n[2:] if port == 0 else n
def entry(e): return e[0] + '|' + ' '.join(e[1]) + '|' + ' '.join(e[2])
own = {
    'getaddrinfo': lambda *a: plain(socket.getaddrinfo(*a)),
    'pprint': lambda *a: pprint.pformat(plain(socket.getaddrinfo(*a))),
    'repr': lambda h: repr(bytes.fromhex(h)), 'strrepr': lambda h: repr(bytes.fromhex(h).decode('utf-8', 'surrogateescape')),
    'bound': bound, 'entry': lambda f, n: entry(getattr(socket, f)(n)),
    'ntop': lambda f, h: socket.inet_ntop(f, bytes.fromhex(h)), 'aton': lambda s: socket.inet_aton(s).hex(),
    'pton': lambda f, s: socket.inet_pton(f, s).hex(), 'default': lambda: (lambda s: (int(s.family), int(s.type), s.proto))(socket.socket()),
}
for line in sys.stdin:
    f, *a = json.loads(line)
    try:
        r = (own.get(f) or getattr(socket, f))(*a)
        r = r if isinstance(r, str) else repr(r)
    except socket.gaierror as e: r = 'gaierror %d %s' % (e.errno, e.strerror)
    except (OSError, UnicodeError, OverflowError) as e: r = 'error'
    print(json.dumps(r), flush=True)
`

// askPython puts all questions to one Python and returns the answers in order.
func askPython(t *testing.T, questions [][]any) []string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	var in, stderr bytes.Buffer
	for _, q := range questions {
		line, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(line, '\n'))
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", namesScript)
	cmd.Stdin, cmd.Stderr = &in, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3: %v\n%s", err, stderr.Bytes())
	}
	var answers []string
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, text)
	}
	if len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(answers), len(questions))
	}
	return answers
}

// answerText writes a result of ours as namesScript writes Python's.
func answerText(text string, err error) string {
	if e, ok := errors.AsType[EAI](err); ok {
		return fmt.Sprintf("gaierror %d %v", int(e), e)
	}
	if err != nil {
		return "error"
	}
	return text
}

// needsFilesDNS skips where Python's C library looks for hosts elsewhere than
// this package does.
func needsFilesDNS(t *testing.T) {
	t.Helper()
	conf, err := os.ReadFile("/etc/nsswitch.conf")
	if err != nil {
		t.Skipf("not known where the C library looks for hosts: %v", err)
	}
	for line := range strings.Lines(string(conf)) {
		if words := strings.Fields(line); len(words) > 0 && words[0] == "hosts:" && strings.Join(words[1:], " ") != "files dns" {
			t.Skipf("the C library looks for hosts in %q, not \"files dns\"", words[1:])
		}
	}
}

type question struct {
	host, service string
	hints         Hints
}

// reprList is Python's repr of the list of tuples.
func reprList(infos []AddrInfo) string {
	var tuples []string
	for _, i := range infos {
		tuples = append(tuples, i.Tuple())
	}
	return "[" + strings.Join(tuples, ", ") + "]"
}

// compareGetAddrInfo asks both sides all questions.
func compareGetAddrInfo(t *testing.T, questions []question) {
	t.Helper()
	var asked [][]any
	for _, q := range questions {
		line := []any{"getaddrinfo", nil, nil, int(q.hints.Family), int(q.hints.Type), int(q.hints.Proto), int(q.hints.Flags)}
		if q.host != "" {
			line[1] = q.host
		}
		if q.service != "" {
			line[2] = q.service
		}
		asked = append(asked, line)
	}
	for i, want := range askPython(t, asked) {
		q := questions[i]
		infos, err := GetAddrInfo(t.Context(), q.host, q.service, q.hints)
		if got := answerText(reprList(infos), err); got != want {
			t.Errorf("%+v:\n ours     %s\n Python's %s", q, got, want)
		}
	}
}

func TestTutorial81_SameListAsPython(t *testing.T) {
	needsFilesDNS(t)
	own, err := GetHostname()
	if err != nil {
		t.Fatal(err)
	}
	var all []question
	for _, host := range []string{"localhost", own, "LOCALHOST", "127.0.0.1", "127.1", "::1", "::ffff:127.0.0.1", "fe80::1%1", ""} {
		for _, family := range []Family{AF_UNSPEC, AF_INET, AF_INET6} {
			for _, service := range []string{"", "www", "80", "domain", "no-such"} {
				for _, flags := range []AIFlags{0, AI_PASSIVE, AI_CANONNAME, AI_ADDRCONFIG, AI_V4MAPPED, AI_V4MAPPED | AI_ALL, AI_NUMERICHOST, AI_NUMERICSERV, 0x10000} {
					if _, literal, _ := parseLiteral(host); !literal && host != "" && family == AF_INET6 {
						continue // might go to a name server that is not there
					}
					all = append(all, question{host, service, Hints{Family: family, Flags: flags}})
				}
			}
		}
	}
	compareGetAddrInfo(t, all)
}

func TestTutorial81_SameKindsAsPython(t *testing.T) {
	var all []question
	for _, service := range []string{"", "80", "0", "www", "domain", "echo", "no-such", "*"} {
		for typ := range Type(8) {
			for _, proto := range []Proto{0, 1, 6, 17, 33, 132, 136, 255, 262} {
				all = append(all, question{"127.0.0.1", service, Hints{Type: typ, Proto: proto}})
			}
		}
	}
	compareGetAddrInfo(t, all)
}

var oddHosts = []string{
	"127.1", "127.0.1", "0x7f000001", "2130706433", "0177.1", "0", "00", "0x0", "0x", "08", "256.1.1.1", "1.2.65535", "1.2.65536", "4294967295",
	"4294967296", "1.", "1.2.3.4.5", "+1", "1e3", "127.0.0.0x1", "127.0.0.1 ", "::1", "::", "1::2:3:4:5:6:7", "1::2:3:4:5:6:7:8", ":::1", "[::1]", "::1%",
	"::1%1", "::1%lo", "fe80::1%0", "fe80::1%lo", "fe80::1%99", "fe80::1%nope", "fe80::1%4294967296", "ff02::1%lo", "2001:db8::1%lo",
	"::1.2.3.4", "::1:0", "::ffff:127.0.0.1", "127.0.0.1%lo", "1:2:3:4:5:6:7:8:9", "12345::", "g::",
}

func TestTutorial14_SameLiteralsAsPython(t *testing.T) {
	var all []question
	for _, host := range oddHosts {
		for _, family := range []Family{AF_UNSPEC, AF_INET, AF_INET6} {
			for _, flags := range []AIFlags{0, AI_CANONNAME, AI_V4MAPPED} {
				all = append(all, question{host, "80", Hints{Family: family, Type: SOCK_STREAM, Flags: flags | AI_NUMERICHOST}})
			}
		}
	}
	compareGetAddrInfo(t, all)
}

func TestTutorial17_SameBindAsPython(t *testing.T) {
	var asked [][]any
	for _, host := range []string{"", "<broadcast>", "127.0.0.1", "127.1", "0x7f000001", "2130706433", "::1", "localhost"} {
		for _, family := range []Family{AF_INET, AF_INET6} {
			asked = append(asked, []any{"bound", int(family), host, 0})
		}
	}
	for i, want := range askPython(t, asked) {
		family, host := Family(asked[i][1].(int)), asked[i][2].(string)
		if host == "localhost" && family == AF_INET6 || want == "error" {
			continue // might need a name server, or an address that this host has not
		}
		all, err := Pair(host, 0).Resolve(t.Context(), family, SOCK_STREAM)
		var got string
		if err == nil {
			got = Tuple(all[0])
		}
		if got := answerText(got, err); got != want {
			t.Errorf("%v, %q: ours %s, Python's %s", family, host, got, want)
		}
	}
}

func TestTutorial22_SameServicesAsPython(t *testing.T) {
	var asked [][]any
	var ours []string
	ask := func(got string, err error, q ...any) {
		asked = append(asked, q)
		if err != nil {
			got = "error"
		}
		ours = append(ours, got)
	}
	for _, s := range (*Resolver)(nil).services() {
		for _, name := range append(s.aliases, s.name, s.name+"x") {
			for _, protocol := range []string{"tcp", "udp"} {
				port, err := GetServByName(name, protocol)
				ask(fmt.Sprint(port), err, "getservbyname", name, protocol)
				name, err := GetServByPort(s.port, protocol)
				ask(name, err, "getservbyport", s.port, protocol)
			}
			port, err := GetServByName(name, "")
			ask(fmt.Sprint(port), err, "getservbyname", name)
		}
	}
	for _, p := range (*Resolver)(nil).protocols() {
		for _, name := range append(p.aliases, p.name, strings.ToUpper(p.name)+"x") {
			number, err := GetProtoByName(name)
			ask(fmt.Sprint(int(number)), err, "getprotobyname", name)
		}
	}
	for i, want := range askPython(t, asked) {
		if ours[i] != want {
			t.Errorf("%v: ours %s, Python's %s", asked[i], ours[i], want)
		}
	}
}

func TestTutorial35_SameHostnameAsPython(t *testing.T) {
	needsFilesDNS(t)
	name, err := GetHostname()
	if err != nil {
		t.Fatal(err)
	}
	answers := askPython(t, [][]any{{"gethostname"}, {"getfqdn"}, {"gethostbyname", "localhost"}, {"entry", "gethostbyname_ex", "localhost"}, {"entry", "gethostbyaddr", "127.0.0.1"}})
	entry := func(e HostEntry, err error) string {
		return answerText(e.Name+"|"+strings.Join(e.Aliases, " ")+"|"+strings.Trim(fmt.Sprint(e.Addrs), "[]"), err)
	}
	local, err := GetHostByName(t.Context(), "localhost")
	ours := []string{name, GetFQDN(t.Context(), ""), answerText(local.String(), err)}
	ours = append(ours, entry(GetHostByNameEx(t.Context(), "localhost")), entry(GetHostByAddr(t.Context(), "127.0.0.1")))
	for i, want := range answers {
		if ours[i] != want {
			t.Errorf("ours %q, Python's %q", ours[i], want)
		}
	}
}

func TestTutorial82_SamePrintAsPython(t *testing.T) {
	needsFilesDNS(t)
	asked := [][]any{{"pprint", "127.0.0.1", "www"}, {"pprint", "127.0.0.1", "80"}, {"pprint", "::1", "domain"}, {"pprint", "localhost", "www"}}
	for i, want := range askPython(t, asked) {
		infos, err := GetAddrInfo(context.Background(), asked[i][1].(string), asked[i][2].(string), Hints{})
		if got := answerText(TupleList(infos), err); got != want {
			t.Errorf("%v: ours\n%s\nPython's\n%s", asked[i], got, want)
		}
	}
}

func TestTutorial50_SameReprAsPython(t *testing.T) {
	samples := [][]byte{nil, []byte("Hello, world"), []byte("it's"), []byte(`"it's"`), []byte("grüße\u200b\u00a0\U0001f600\U000e0001\xff")}
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	samples = append(samples, every)
	var asked [][]any
	for _, s := range samples {
		asked = append(asked, []any{"repr", fmt.Sprintf("%x", s)}, []any{"strrepr", fmt.Sprintf("%x", s)})
	}
	for i, want := range askPython(t, asked) {
		got := Repr(samples[i/2])
		if i%2 == 1 {
			got = reprString(string(samples[i/2]))
		}
		if got != want {
			t.Errorf("%q: ours %s, Python's %s", samples[i/2], got, want)
		}
	}
}

func TestSameInetTextAsPython(t *testing.T) {
	var asked [][]any
	var ours []string
	random := rand.New(rand.NewPCG(3493, 5952))
	for range 500 {
		var b [16]byte
		for i := range b {
			b[i] = byte(random.Uint32()) * byte(random.Uint32()%2) * byte(random.Uint32()%2)
		}
		if random.Uint32()%4 == 0 {
			clear(b[:random.IntN(16)])
		}
		text, err := InetNtop(AF_INET6, b[:])
		asked, ours = append(asked, []any{"ntop", int(AF_INET6), fmt.Sprintf("%x", b)}), append(ours, answerText(text, err))
	}
	for _, host := range oddHosts {
		for _, family := range []Family{AF_INET, AF_INET6} {
			raw, err := InetPton(family, host)
			asked, ours = append(asked, []any{"pton", int(family), host}), append(ours, answerText(fmt.Sprintf("%x", raw), err))
		}
		if quad, err := InetAton(host); !strings.HasSuffix(host, " ") { // what follows a blank is not for us
			asked, ours = append(asked, []any{"aton", host}), append(ours, answerText(fmt.Sprintf("%x", quad), err))
		}
	}
	for i, want := range askPython(t, asked) {
		if ours[i] != want {
			t.Errorf("%v: ours %s, Python's %s", asked[i], ours[i], want)
		}
	}
}
