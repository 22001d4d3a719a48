package message

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// longLines are messages with lines of about as much as is looked at at once,
// and of more.
func longLines() []string {
	var all []string
	for _, n := range []int{scanBuffer - 20, scanBuffer - 1, scanBuffer, scanBuffer + 1, 2*scanBuffer + 5} {
		x := strings.Repeat("x", n)
		head := "From: a@b\r\nSubject: s\r\n"
		multipart := head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n"
		all = append(all,
			head+"X: "+x+"\r\nTo: c@d\r\n\r\nbody\r\n",
			head+"X: y\r\n "+x+"\r\nTo: c@d\r\n\r\nbody\r\n",
			head+"X: "+x,
			head+x+": y\r\nTo: c@d\r\n\r\nbody\r\n",
			head+strings.Repeat("\r", n)+"x: y\r\n\r\nbody\r\n",
			head+strings.Repeat("\r", n)+"\nbody\r\n",
			multipart+"--b"+strings.Repeat(" ", n)+"\r\n\r\ntwo\r\n--b--\r\n",
			multipart+"--b"+strings.Repeat(" ", n)+"x\r\n\r\ntwo\r\n--b--\r\n",
			multipart+"--"+x+"\r\n--b--",
		)
	}
	return all
}

// TestLongLines has a message be the same however it lies there and arrives,
// whatever may be kept of its header: also where its lines are longer than what is
// looked at at once.
func TestLongLines(t *testing.T) {
	for _, text := range longLines() {
		for _, lim := range []Limits{{}, {Header: 100}, {Header: scanBuffer}, {Header: scanBuffer + 100}} {
			whole := ParseBytes([]byte(text), lim)
			for how, r := range map[string]func() (*Part, error){
				"read":      func() (*Part, error) { return Parse(strings.NewReader(text), lim) },
				"by halves": func() (*Part, error) { return Parse(iotest.HalfReader(strings.NewReader(text)), lim) },
			} {
				if p, err := r(); err != nil || !reflect.DeepEqual(p, whole) {
					t.Errorf("%.60q... of %d, %d kept, %s: %v\n%+v, in memory\n%+v", text, len(text), lim.Header, how, err, p, whole)
				}
			}
		}
	}
}

// TestLongFieldIsKeptWhole reads a field of more than what is looked at at once:
// all of it where the limit lets it, else none.
func TestLongFieldIsKeptWhole(t *testing.T) {
	long := "X: " + strings.Repeat("x", 2*scanBuffer) + "\r\n"
	text := "A: 1\r\n" + long + "B: 2\r\n\r\nbody"
	for limit, want := range map[int]string{len(text): "A: 1\r\n" + long + "B: 2\r\n\r\n", len(long): "A: 1\r\n\r\n"} {
		h, body, err := ReadHeader(strings.NewReader(text), Limits{Header: limit})
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Append(nil); string(got) != want {
			t.Errorf("limit %d: %d octets, want %d", limit, len(got), len(want))
		}
		var rest bytes.Buffer
		if _, err := rest.ReadFrom(body); err != nil || rest.String() != "body" {
			t.Errorf("limit %d: then %q, %v", limit, rest.String(), err)
		}
	}
}
