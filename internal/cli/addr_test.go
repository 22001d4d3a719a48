package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/farend-go/farend/socket"
)

func TestAddrPrintsATable(t *testing.T) {
	got := farend(t, "", "addr", "127.1", "80")
	want := `FAMILY   TYPE         PROTOCOL     CANONICAL NAME  ADDRESS    PORT
AF_INET  SOCK_STREAM  IPPROTO_TCP  127.1           127.0.0.1  80
AF_INET  SOCK_DGRAM   IPPROTO_UDP  -               127.0.0.1  80
AF_INET  SOCK_RAW     IPPROTO_IP   -               127.0.0.1  80
`
	if got.code != 0 || got.out != want {
		t.Errorf("%+v, want\n%s", got, want)
	}
}

func TestAddrPrintsTheTutorialsTuples(t *testing.T) {
	for args, want := range map[string]string{
		"--python 94.130.81.180 www":             "[(2, 1, 6, '', ('94.130.81.180', 80))]\n",
		"--python --type stream ::1 80":          "[(10, 1, 6, '', ('::1', 80, 0, 0))]\n",
		"--python --canon --type dgram 127.1 53": "[(2, 2, 17, '127.1', ('127.0.0.1', 53))]\n",
		"--python 127.0.0.1 80": "[(2, 1, 6, '', ('127.0.0.1', 80)),\n" +
			" (2, 2, 17, '', ('127.0.0.1', 80)),\n (2, 3, 0, '', ('127.0.0.1', 80))]\n",
	} {
		want = strings.Replace(want, "(10,", fmt.Sprintf("(%d,", int(socket.AF_INET6)), 1) // each system has its own
		if got := farend(t, "", append([]string{"addr"}, strings.Fields(args)...)...); got.code != 0 || got.out != want {
			t.Errorf("%q: %+v, want %q", args, got, want)
		}
	}
}

func TestAddrJSONIsOneObjectPerEntry(t *testing.T) {
	got := farend(t, "", "addr", "--json", "::1", "22")
	lines := strings.Split(strings.TrimSuffix(got.out, "\n"), "\n")
	if got.code != 0 || len(lines) != 3 {
		t.Fatalf("%+v", got)
	}
	var e entry
	if err := json.Unmarshal([]byte(lines[0]), &e); err != nil {
		t.Fatal(err)
	}
	if e.Family != "AF_INET6" || e.Type != "SOCK_STREAM" || e.Protocol != "IPPROTO_TCP" || e.Address != "::1" || e.Port != 22 {
		t.Errorf("%+v", e)
	}
}

func TestAddrOfNobodyIsThisHost(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	got := farend(t, "", "addr")
	if first, _, _ := strings.Cut(got.out, "\n"); first != name {
		t.Errorf("%+v, want the name %s first", got, name)
	}
	if got.code == 0 && !strings.Contains(got.out, "SOCK_STREAM") {
		t.Errorf("no address: %+v", got)
	}
}

func TestAddrOfAServer(t *testing.T) {
	got := farend(t, "", "addr", "-4", "--python", "--passive", "--type", "stream", "", "http")
	if want := "[(2, 1, 6, '', ('0.0.0.0', 80))]\n"; got.out != want {
		t.Errorf("%+v, want %q", got, want)
	}
}

func TestAddrGivesNames(t *testing.T) {
	got := farend(t, "", "addr", "-r", "--numeric", "127.0.0.1", "80")
	if want := "127.0.0.1  127.0.0.1  80\n"; got.code != 0 || got.out != want {
		t.Errorf("%+v, want %q", got, want)
	}
}

func TestAddrSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"--numeric localhost 80", 1, "not known"}, {"127.0.0.1 nosuchservice", 1, "ervice"}, {"-4 ::1 80", 1, "ddress family"},
		{"-4 -6 h", 2, "either"}, {"--type ribbon h", 2, "stream, dgram and raw"}, {"--python --json h", 2, "either"},
		{"a b c", 2, "3 words"}, {"127.0.0.1 99999", 1, "0-65535"},
	} {
		got := farend(t, "", append([]string{"addr"}, strings.Fields(c.args)...)...)
		if got.code != c.code || got.out != "" || strings.Count(got.err, "\n") != 1 || !strings.Contains(got.err, c.want) {
			t.Errorf("%q: %+v, want %d, %q", c.args, got, c.code, c.want)
		}
	}
}
