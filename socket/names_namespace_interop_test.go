//go:build interop && linux

package socket

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// inNamespace runs the test again with files of its own in the place of some
// under /etc, in a mount namespace (and with flag "n", a network with nothing
// but loopback). It tells whether this is that second run.
func inNamespace(t *testing.T, flag string, files map[string]string) bool {
	t.Helper()
	const mark = "FAREND_TEST_NAMESPACE"
	if os.Getenv(mark) == t.Name() {
		return true
	}
	needsFilesDNS(t)
	script := "set -e; "
	for name, text := range files {
		script += fmt.Sprintf("mount --bind %s /etc/%s; ", writeFile(t, name, text), name)
	}
	if strings.Contains(flag, "n") {
		script += "ip link set lo up; "
	}
	if out, err := exec.CommandContext(t.Context(), "unshare", "-rm"+flag, "sh", "-c", script).CombinedOutput(); err != nil {
		t.Skipf("no namespaces of our own here: %v: %s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-rm"+flag, "sh", "-c", script+`exec "$0" -test.v -test.run "^$1$"`, os.Args[0], t.Name())
	cmd.Env = append(os.Environ(), mark+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- ") {
		t.Errorf("in the namespace: %v\n%s", err, out)
	}
	if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("in the namespace: %s", out)
	}
	return false
}

// hostsOfManyKinds has, among others, names that only the order of addresses
// tells apart.
const hostsOfManyKinds = `
127.0.0.1 localhost
::1 localhost ip6-localhost
127.0.1.1 box.example box alias
192.0.2.2 both.example both
fd00::2 both
2001:db8::5 two
192.0.2.77 two
::1 six
192.0.2.7 many
192.0.2.8 many xmany
192.0.2.7 many
198.51.100.1 many
fec0::1 site
2002:c000:202::1 six24
10.0.0.1 six24
192.0.2.200 near
192.0.2.3 near
192.0.2.2 near
fd00::5 near
fd00::7:1 near
203.0.113.9 near
2001:db8::9 near
fe80::1 near
::1 last
127.0.0.1 last
`

func TestTutorial81_SameOrderAsPython(t *testing.T) {
	// No name server: what is not in the file is asked of one that refuses.
	if !inNamespace(t, "", map[string]string{"hosts": hostsOfManyKinds, "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"}) {
		return
	}
	var all []question
	for name := range strings.FieldsSeq("localhost LOCALHOST ip6-localhost box alias both two six many site six24 near last") {
		for _, flags := range []AIFlags{AI_CANONNAME, AI_ADDRCONFIG} {
			all = append(all, question{name, "80", Hints{Flags: flags}})
		}
		all = append(all, question{name, "80", Hints{Family: AF_INET6, Flags: AI_V4MAPPED | AI_ALL}})
		if name != "site" {
			all = append(all, question{name, "80", Hints{Family: AF_INET, Flags: AI_CANONNAME}})
		}
	}
	compareGetAddrInfo(t, all)
	compareEntries(t, strings.Fields("localhost box alias both two many near 127.0.0.1 ::1 192.0.2.8 fd00::2"))
}

func TestTutorial84_SameAnswersAsPython(t *testing.T) {
	if !inNamespace(t, "n", map[string]string{"hosts": "127.0.0.1 localhost\n", "resolv.conf": "nameserver 127.0.0.1\nsearch corp.test\noptions timeout:1 attempts:1\n"}) {
		return
	}
	zone := map[string]stubName{}
	for name, entry := range stubZone {
		// The C library does not ask again by TCP within this short a timeout,
		// and gives up on the forged ones.
		if !entry.big && !entry.forged && !strings.HasPrefix(name, "loop") {
			zone[name] = entry
		}
	}
	// Where the name itself fails and the searched one does not exist, the C
	// library answers in two ways, depending on the family.
	zone["servfail.test.corp.test."], zone["silent.test.corp.test."] = stubZone["servfail.test."], stubZone["silent.test."]
	startStubDNSAt(t, "127.0.0.1:53", zone)
	var all []question
	names := strings.Fields("a.test A.test a.test. aaaa.test two.test empty.test nx.test alias.test dangling.test servfail.test half.test short x.y nodata localhost")
	for _, name := range names {
		for _, family := range []Family{AF_UNSPEC, AF_INET, AF_INET6} {
			for _, flags := range []AIFlags{0, AI_CANONNAME, AI_V4MAPPED, AI_V4MAPPED | AI_ALL} {
				if name == "dangling.test" && family == AF_INET && flags != AI_CANONNAME {
					continue // EAI_NODATA in this one case, and only there
				}
				all = append(all, question{name, "80", Hints{Family: family, Type: SOCK_STREAM, Flags: flags}})
			}
		}
	}
	compareGetAddrInfo(t, append(all, question{"silent.test", "80", Hints{Family: AF_INET}}))
	names = slices.DeleteFunc(names, func(n string) bool { return n == "dangling.test" })
	compareEntries(t, append(names, "192.0.2.9", "2001:db8::10"))
}

// compareEntries asks both sides for the names, and the addresses, of hosts.
func compareEntries(t *testing.T, hosts []string) {
	t.Helper()
	var asked [][]any
	var ours []string
	for _, host := range hosts {
		for f, get := range map[string]func(context.Context, string) (HostEntry, error){"gethostbyname_ex": GetHostByNameEx, "gethostbyaddr": GetHostByAddr} {
			if f == "gethostbyname_ex" && strings.Contains(host, ":") {
				continue
			}
			e, err := get(t.Context(), host)
			text := answerText(e.Name+"|"+strings.Join(e.Aliases, " ")+"|"+strings.Trim(fmt.Sprint(e.Addrs), "[]"), err)
			asked, ours = append(asked, []any{"entry", f, host}), append(ours, text)
		}
		asked, ours = append(asked, []any{"getfqdn", host}), append(ours, GetFQDN(t.Context(), host))
	}
	for i, want := range askPython(t, asked) {
		// An address without a name is Python's herror, which has other numbers.
		if want == "error" && strings.HasPrefix(ours[i], "gaierror") {
			continue
		}
		if ours[i] != want {
			t.Errorf("%v: ours %q, Python's %q", asked[i], ours[i], want)
		}
	}
}
