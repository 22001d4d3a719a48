package gopher_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/internal/servertest"
	"github.com/farend-go/farend/proto/gopher"
	"github.com/farend-go/farend/server"
)

var engines = map[string]func() server.Engine{"goroutines": server.Goroutines, "events": server.Events}

// talk is the transcript of a name.
func talk(t *testing.T, name string) *transcript.Script {
	t.Helper()
	for _, s := range servertest.Scripts(t, "testdata/talk/*.txt") {
		if s.Name == "testdata/talk/"+name+".txt" || s.Name == name+".txt" {
			return s
		}
	}
	t.Fatalf("no transcript %q", name)
	return nil
}

// The transcripts at our server, cut at every byte.
func TestServerTalks(t *testing.T) {
	for engine, e := range engines {
		for _, script := range servertest.Scripts(t, "testdata/talk/*.txt") {
			t.Run(engine+"/"+script.Name, func(t *testing.T) {
				transcript.Server(t, script, func(ctx context.Context, nc net.Conn) error {
					srv := &server.Server{Handler: gopher.NewHandler(rawBits{}, rawBitsOptions), Engine: e()}
					return srv.Serve(ctx, transcript.Once(nc))
				})
			})
		}
	}
}

// say sends bytes, in pieces of one where slow, and gives all that comes back.
func say(t *testing.T, address string, text []byte, slow bool) []byte {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if slow {
		for i := range text {
			if _, err := c.Write(text[i : i+1]); err != nil {
				t.Fatal(err)
			}
		}
	} else if _, err := c.Write(text); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("after %q: %v", got, err)
	}
	return got
}

// The same over sockets, on which the event loop reads itself.
func TestServerTalksOverTCP(t *testing.T) {
	for engine, e := range engines {
		address := servertest.Serve(t, &server.Server{Handler: gopher.NewHandler(rawBits{}, rawBitsOptions), Engine: e()})
		for _, script := range servertest.Scripts(t, "testdata/talk/*.txt") {
			asked, err := script.Said(transcript.ClientSide)
			if err != nil {
				t.Fatal(err)
			}
			want, err := script.Said(transcript.ServerSide)
			if err != nil {
				t.Fatal(err)
			}
			for _, slow := range []bool{false, true} {
				if got := say(t, address, asked, slow); !bytes.Equal(got, want) {
					t.Errorf("%s, %s: %q, want %q", engine, script.Name, got, want)
				}
			}
		}
	}
}

// asked answers one request in memory.
func asked(t *testing.T, b gopher.Backend, o gopher.Options, request string) string {
	t.Helper()
	got, _ := servertest.Say(t, &server.Server{Handler: gopher.NewHandler(b, o)}, []byte(request)) // a reset has its reason, and what came before counts
	return string(got)
}

func TestAnswers(t *testing.T) {
	const refused = "\t\terror.host\t1\r\n.\r\n"
	for _, c := range []struct{ name, request, want string }{
		{"LF alone", "Stuff:bin\n", string(binText)},
		{"CR inside", "Stuff\rbin\r\n", "3the request is malformed" + refused},
		{"NUL inside", "Stuff\x00bin\r\n", "3the request is malformed" + refused},
		{"too many fields", "a\tb\tc\td\te\r\n", "3the request is malformed" + refused},
		{"too long", strings.Repeat("x", 5000) + "\r\n", "3the request is too long" + refused},
		{"a form", "Stuff:bin\t+\t1\r\n+-1\r\nx\r\n.\r\n", "--1\r\n1 Frodo Gophermeister <fng@bogus.edu>\r\nforms are not taken here\r\n.\r\n"},
		{"binary with a header", "Stuff:bin\t+\r\n", "+8\r\n" + string(binText)},
		{"text with a header", "Stuff:About us\t+\r\n", "+-1\r\nGopher is a protocol.\r\n..\r\n...and that was a line with a dot.\r\n.\r\n"},
		{"its own view", "Stuff:About us\t+text/plain\r\n", "+-1\r\nGopher is a protocol.\r\n..\r\n...and that was a line with a dot.\r\n.\r\n"},
		{"no such view", "Stuff:bin\t+audio/x\r\n", "--1\r\n1 Frodo Gophermeister <fng@bogus.edu>\r\n'Stuff:bin' cannot be had as audio/x\r\n.\r\n"},
		{"words like a view", "Index\t+what\r\n", "0About internet Gopher\tStuff:About us\trawBits.micro.umn.edu\t70\t+\r\niYou looked for +what\t\terror.host\t1\r\n.\r\n"},
		{"words like attributes", "Index\t!important\r\n", "0About internet Gopher\tStuff:About us\trawBits.micro.umn.edu\t70\t+\r\niYou looked for !important\t\terror.host\t1\r\n.\r\n"},
		{"a link", "URL:http://example.org/?a=\"b\"\r\n", "<!DOCTYPE html>"},
		{"a script", "URL:javascript:alert(1)\r\n", "3that link leads nowhere" + refused},
		{"caps", "caps.txt\r\n", "CAPS\r\n\r\nCapsVersion=1\r\n"},
		{"escapes", "\x1b[2J\x07\r\n", "3' [2J ' does not exist" + refused},
		{"silence", "", ""},
	} {
		got := asked(t, rawBits{}, rawBitsOptions, c.request)
		if c.name == "silence" {
			continue
		}
		if got != c.want && (!strings.HasPrefix(got, c.want) || strings.HasSuffix(c.want, "\r\n.\r\n")) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if strings.Contains(got, `"b"`) {
			t.Errorf("%s: %q: a quote got into the page", c.name, got)
		}
	}
}

// broken fails in every way.
type broken struct{}

func (broken) Stat(_ context.Context, selector string) (gopher.Resource, error) {
	switch selector {
	case "locked":
		return gopher.Resource{}, fs.ErrPermission
	case "secret":
		return gopher.Resource{}, errors.New("open /etc/shadow: secret reason")
	case "nosearch":
		return gopher.Resource{Item: index}, nil
	case "menu", "menu0", "odd":
		return gopher.Resource{Item: gopher.Item{Type: gopher.Menu}}, nil
	}
	return gopher.Resource{Item: gopher.Item{Type: gopher.Type(selector[0]), Selector: selector}}, nil
}

func (broken) Menu(_ context.Context, selector string) iter.Seq2[gopher.Item, error] {
	return func(yield func(gopher.Item, error) bool) {
		if selector == "odd" {
			yield(gopher.Item{Type: gopher.Text, Name: "tab\there", Selector: "a\tb"}, nil)
			yield(gopher.Item{Type: gopher.Text, Name: "line", Selector: "a\r\nb"}, nil)
			yield(about, nil)
			return
		}
		if selector == "menu0" || yield(about, nil) {
			yield(gopher.Item{}, errors.New("the disk is gone"))
		}
	}
}

func (broken) Open(_ context.Context, selector string) (io.ReadCloser, error) {
	if selector == "9 gone" {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(io.MultiReader(strings.NewReader("half"), failing{})), nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

func TestAnswersOfABrokenBackend(t *testing.T) {
	const refused = "\t\terror.host\t1\r\n.\r\n"
	o := gopher.Options{Host: "h", Port: 70}
	for request, want := range map[string]string{
		"locked\r\n":      "3'locked' may not be read" + refused,
		"secret\r\n":      "3'secret' cannot be read" + refused,
		"nosearch\tx\r\n": "3nothing can be searched here" + refused,
		"9 gone\r\n":      "3'9 gone' does not exist" + refused,
		"menu\r\n":        "0About internet Gopher\tStuff:About us\th\t70\t+\r\n3the menu ends here: it cannot be read further" + refused,
		"menu0\r\n":       "3'menu0' cannot be read" + refused,
		"odd\r\n":         "0About internet Gopher\tStuff:About us\th\t70\t+\r\n.\r\n",
		"0 text\r\n":      "half", // without a dot: the reader sees that it did not end
	} {
		if got := asked(t, broken{}, o, request); got != want {
			t.Errorf("%q: %q, want %q", request, got, want)
		}
	}
}

// A file that cannot be read to its end is no file that ends there.
func TestHalfABinaryIsAReset(t *testing.T) {
	for engine, e := range engines {
		t.Run(engine, func(t *testing.T) {
			address := servertest.Serve(t, &server.Server{Handler: gopher.NewHandler(broken{}, gopher.Options{}), Engine: e()})
			u, err := gopher.ParseURL("gopher://" + address + "/99")
			if err != nil {
				t.Fatal(err)
			}
			r, err := (&gopher.Client{}).Get(t.Context(), u)
			if err == nil {
				defer r.Close()
				_, err = io.ReadAll(r)
			}
			if err == nil {
				t.Error("the end looks like a good one")
			}
		})
	}
}

// Under faults a client gets the right answer or an error, and the server ends.
func TestServerUnderFaults(t *testing.T) {
	want, err := talk(t, "menu").Said(transcript.ServerSide)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(150) {
		near, far := transcript.Pipe()
		_ = near.SetDeadline(time.Now().Add(300 * time.Millisecond)) // a stall ends here
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		srv := &server.Server{
			Handler: gopher.NewHandler(rawBits{}, rawBitsOptions), Layers: []conv.Layer{faults.Layer(faults.Mix(seed)...)},
			Limits: server.Limits{Drain: 50 * time.Millisecond},
		}
		done := make(chan error, 1)
		go func() { done <- srv.Serve(ctx, transcript.Once(far)) }()
		_, _ = io.WriteString(near, "\r\n")
		got, err := io.ReadAll(near)
		near.Close()
		<-done
		cancel()
		if !bytes.HasPrefix(want, got) {
			t.Errorf("seed %d: %q, %v", seed, got, err)
		}
	}
}

// FuzzServer: any bytes may come; the session answers once and ends.
func FuzzServer(f *testing.F) {
	for _, s := range []string{"", "\r\n", "Stuff:About us\t!\r\n", "Index\ta\t+\r\n", "\t$\r\n", "Stuff:DP:\t$+VIEWS\r\n", "x\t+\t1\r\nabc", "URL:http:\r\n", "\xff\xfe\n", "a\tb\tc\t0\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = append(bytes.ReplaceAll(b[:min(len(b), 6000)], []byte("\n"), nil), '\n')
		got, err := servertest.Say(t, &server.Server{Handler: gopher.NewHandler(rawBits{}, rawBitsOptions)}, b)
		if err != nil || len(got) == 0 {
			t.Errorf("%q: %q %v", b, got, err)
		}
	})
}
