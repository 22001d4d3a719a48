package mbox_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/message/mbox"
)

// texts reads an mbox whole.
func texts(t *testing.T, in string, form mbox.Form) []string {
	t.Helper()
	var out []string
	for m, err := range mbox.Read(iotest.HalfReader(strings.NewReader(in)), form) {
		if err != nil {
			t.Fatalf("%q: %v", in, err)
		}
		b, err := io.ReadAll(m.Text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	return out
}

const from = "From joe@x.test Sun Nov  6 08:49:37 1994\n"

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, in string
		form     mbox.Form
		want     []string
	}{
		{"empty", "", mbox.RD, nil},
		{"blank lines", "\n\n", mbox.RD, nil},
		{"one", from + "A: b\n\nbody\n\n", mbox.RD, []string{"A: b\n\nbody\n"}},
		{"without the last blank line", from + "A: b\n\nbody\n", mbox.RD, []string{"A: b\n\nbody\n"}},
		{"without the last line end", from + "A: b\n\nbody", mbox.RD, []string{"A: b\n\nbody"}},
		{"two", from + "A: b\n\nbody\n\n" + from + "C: d\n\n\n", mbox.RD, []string{"A: b\n\nbody\n", "C: d\n\n"}},
		{"two empty", from + "\n" + from + "\n", mbox.RD, []string{"", ""}},
		{"CRLF", strings.ReplaceAll(from+"A: b\n\nx\n\n"+from+"y\n", "\n", "\r\n"), mbox.RD, []string{"A: b\r\n\r\nx\r\n", "y\r\n"}},
		{"blank lines inside", from + "a\n\n\n\nb\n\n\n" + from + "c\n", mbox.RD, []string{"a\n\n\n\nb\n\n", "c\n"}},
		{"a sentence", from + "A: b\n\nFrom here on\nFrom there\n", mbox.RD, []string{"A: b\n\nFrom here on\nFrom there\n"}},
		{"no blank line before", from + "a\n" + from + "b\n", mbox.RD, []string{"a\n" + from + "b\n"}},
		{"rd", from + "\n>From a\n>>From b\n> From c\n", mbox.RD, []string{"\nFrom a\n>From b\n> From c\n"}},
		{"o", from + "\n>From a\n>>From b\n", mbox.O, []string{"\nFrom a\n>>From b\n"}},
		{"raw", from + "\n>From a\n>>From b\n", mbox.Raw, []string{"\n>From a\n>>From b\n"}},
		{"long line", from + strings.Repeat("x", 200_000) + ">From y\n\n" + from + "z\n", mbox.RD, []string{strings.Repeat("x", 200_000) + ">From y\n", "z\n"}},
	} {
		if got := texts(t, c.in, c.form); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) {
			t.Errorf("%s: %.300q, want %.300q", c.name, got, c.want)
		}
	}
}

func TestFromLine(t *testing.T) {
	for line, want := range map[string]string{
		"From joe@x.test Sun Nov  6 08:49:37 1994":              "joe@x.test 1994-11-06T08:49:37Z",
		"From MAILER-DAEMON Fri Jul  8 12:08:34 2011 +0200":     "MAILER-DAEMON 2011-07-08T12:08:34+02:00",
		"From joe  Sat May  1 01:30 PDT 1999 remote from uunet": "joe 1999-05-01T01:30:00-07:00",
		"From joe someday 1:2":                                  "joe 0001-01-01T00:00:00Z",
	} {
		for m, err := range mbox.Read(strings.NewReader(line+"\nx\n"), mbox.RD) {
			if got := m.Sender + " " + m.Date.Format(time.RFC3339); err != nil || got != want {
				t.Errorf("%q: %q, %v, want %q", line, got, err, want)
			}
		}
	}
}

func TestReadErrors(t *testing.T) {
	for _, in := range []string{"Subject: x\n\n", "x"} {
		for _, err := range mbox.Read(strings.NewReader(in), mbox.RD) {
			if !errors.Is(err, mbox.ErrFormat) {
				t.Errorf("%q: %v", in, err)
			}
		}
	}
	broken := errors.New("unplugged")
	for _, before := range []string{"", from + "A: b\n"} {
		var last error
		for _, err := range mbox.Read(io.MultiReader(strings.NewReader(before), iotest.ErrReader(broken)), mbox.RD) {
			last = err
		}
		if !errors.Is(last, broken) {
			t.Errorf("after %q: %v", before, last)
		}
	}
}

// A message of which not all is read does not disturb the next.
func TestReadPassesTheRest(t *testing.T) {
	in := from + "a\n\nlong\n\n" + from + "b\n"
	var got []string
	for m, err := range mbox.Read(strings.NewReader(in), mbox.RD) {
		if err != nil {
			t.Fatal(err)
		}
		var one [1]byte
		if _, err := io.ReadFull(m.Text, one[:]); err != nil {
			t.Fatal(err)
		}
		got = append(got, string(one[:]))
	}
	if strings.Join(got, "") != "ab" {
		t.Errorf("%q", got)
	}
	for range mbox.Read(strings.NewReader(in), mbox.RD) {
		break
	}
}

func TestWriteRoundTrip(t *testing.T) {
	in := []string{
		"A: b\r\n\r\nbody\r\n",
		"A: b\n\nFrom the start\n>From\n>From the\n>>>From start 08:49 1994\n\n" + from + "\n\n",
		"no line end",
		"",
		strings.Repeat("x", 1<<16-1) + "\r\n" + strings.Repeat("y", 1<<17),
	}
	var b bytes.Buffer
	w := mbox.NewWriter(&b)
	for _, text := range in {
		if err := w.Append("joe doe@x.test\n", time.Date(1994, 11, 6, 8, 49, 37, 0, time.UTC), iotest.DataErrReader(strings.NewReader(text))); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.HasPrefix(b.String(), "From joe-doe@x.test- Sun Nov  6 08:49:37 1994\nA: b\n\nbody\n\nFrom ") {
		t.Errorf("%.100q", b.String())
	}
	got := texts(t, b.String(), mbox.RD)
	if len(got) != len(in) {
		t.Fatalf("%d messages, want %d", len(got), len(in))
	}
	for i, want := range in {
		want = strings.ReplaceAll(want, "\r\n", "\n")
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		if got[i] != want {
			t.Errorf("message %d: %.100q, want %.100q", i, got[i], want)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	broken := errors.New("unplugged")
	if err := mbox.NewWriter(io.Discard).Append("", time.Time{}, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Error(err)
	}
	r, w := io.Pipe()
	r.CloseWithError(broken)
	if err := mbox.NewWriter(w).Append("", time.Time{}, strings.NewReader("x")); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// Whatever is in a message, it comes out as it went in, and nothing beside it.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("A: b\r\n\r\nbody\r\n"), []byte("From x 1:1\n>From y\n\n"))
	f.Add([]byte("\n\n"+from), []byte(">"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		var b bytes.Buffer
		w := mbox.NewWriter(&b)
		for _, text := range [][]byte{one, two} {
			if err := w.Append("a", time.Time{}, bytes.NewReader(text)); err != nil {
				t.Fatal(err)
			}
		}
		var want []string
		for _, text := range [][]byte{one, two} {
			s := strings.ReplaceAll(string(text), "\r\n", "\n")
			if s != "" && !strings.HasSuffix(s, "\n") {
				s += "\n"
			}
			want = append(want, s)
		}
		if got := texts(t, b.String(), mbox.RD); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("%q, want %q", got, want)
		}
		for m, err := range mbox.Read(bytes.NewReader(one), mbox.O) { // and any octets may be read
			if err == nil {
				_, err = io.Copy(io.Discard, m.Text)
			}
			if err != nil && !errors.Is(err, mbox.ErrFormat) {
				t.Error(err)
			}
		}
	})
}

func Example() {
	file := "From ann@x.test Sun Nov  6 08:49:37 1994\n" +
		"Subject: one\n\n>From the beginning.\n\n" +
		"From bob@x.test Sun Nov  6 09:49:37 1994\n" +
		"Subject: two\n\nTo the end.\n"
	for m, err := range mbox.Read(strings.NewReader(file), mbox.RD) {
		if err != nil {
			fmt.Println(err)
			return
		}
		h, body, err := message.ReadHeader(m.Text, message.Limits{})
		text, _ := io.ReadAll(body)
		fmt.Printf("%s %s %q %v\n", m.Sender, h.Subject(), text, err)
	}
	// Output:
	// ann@x.test one "From the beginning.\n" <nil>
	// bob@x.test two "To the end.\n" <nil>
}
