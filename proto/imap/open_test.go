package imap_test

import (
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/farend-go/farend/proto/imap"
	"github.com/farend-go/farend/proto/imap/imaptest"
)

func TestTransport(t *testing.T) {
	s := imaptest.New(t, imaptest.Options{Messages: []string{gray, note, parts}})
	s.Put("Entwürfe & mehr", note)
	client := &http.Client{Transport: &imap.Transport{Options: s.Options(), StartTLS: true}}
	base := "imap://" + imaptest.User + ":" + imaptest.Password + "@" + s.Addr
	all := s.Messages("INBOX")
	for _, c := range []struct {
		url    string
		status int
		body   string
	}{
		{"/", 200, "Entwürfe & mehr\nINBOX\n"},
		{"/INBOX", 200, "1 IMAP4rev2 WG mtg summary and minutes\n2 afternoon meeting\n3 Re: afternoon meeting\n"},
		{"/Entw%C3%BCrfe%20%26%20mehr", 200, "1 afternoon meeting\n"},
		{"/INBOX?SUBJECT%20meeting", 200, "2\n3\n"},
		{"/INBOX?ALL%20UNKEYWORD%20x%20SUBJECT%20nothing", 200, ""},
		{"/INBOX;UID=2", 200, all[1]},
		{"/INBOX/;UID=2", 200, all[1]},
		{"/inbox;MAILINDEX=3", 200, all[2]},
		{"/INBOX/;UID=3/;SECTION=1", 200, "R3LDvMOfZQ=="},
		{"/INBOX;UID=2;SECTION=HEADER.FIELDS%20(Subject)", 200, "Subject: afternoon meeting\r\n\r\n"},
		{"/INBOX/;UID=2/;PARTIAL=0.5", 200, all[1][:5]},
		{"/INBOX;UIDVALIDITY=4711/;UID=1", 404, ""},
		{"/INBOX;UID=99", 404, ""},
		{"/missing", 404, ""},
		{"/INBOX?NO%20SUCH%20KEY", 400, ""},
		{"/INBOX;UID=x", 400, ""},
		{"/;UID=1", 400, ""},
	} {
		resp, err := client.Get(base + c.url)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != c.status || err != nil || c.status == 200 && string(body) != c.body {
			t.Errorf("%s: %s, %q, %v", c.url, resp.Status, body, err)
		}
	}
	resp, err := client.Head(base + "/INBOX;UID=1")
	if err != nil || resp.ContentLength != int64(len(all[0])) || resp.Body.Close() != nil {
		t.Errorf("HEAD: %v, %v", resp, err)
	}
	resp, err = client.Get("imap://nobody:wrong@" + s.Addr + "/INBOX")
	if err != nil || resp.StatusCode != http.StatusUnauthorized || resp.Body.Close() != nil {
		t.Errorf("a wrong login: %v, %v", resp, err)
	}
}

func TestTransportAppend(t *testing.T) {
	s := imaptest.New(t, imaptest.Options{})
	client := &http.Client{Transport: &imap.Transport{Options: s.Options()}}
	base := "imap://" + imaptest.User + ":" + imaptest.Password + "@" + s.Addr
	put := func(url string, body io.Reader) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	resp := put(base+"/INBOX", strings.NewReader(note))
	if at := resp.Header.Get("Location"); resp.StatusCode != http.StatusCreated || !strings.HasSuffix(at, ";UID=1") {
		t.Errorf("%s, %q", resp.Status, at)
	}
	put(base+"/INBOX", io.MultiReader(strings.NewReader(note))) // comes once
	want := strings.ReplaceAll(note, "\n", "\r\n")
	if got := s.Wait(t.Context(), "INBOX", 2); got[0] != want || got[1] != want {
		t.Errorf("%q", got)
	}
	if resp := put(base+"/missing", strings.NewReader(note)); resp.StatusCode != http.StatusNotFound {
		t.Errorf("to a mailbox that is not there: %s", resp.Status)
	}
}

// TestURL: what a URL names is written as it was read.
func TestURL(t *testing.T) {
	read := func(text string) imap.URL {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		what, err := imap.ParseURL(u)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return what
	}
	for _, text := range []string{
		"imap://h/", "imap://h/INBOX", "imap://h/a%2Fb%3Bc?SUBJECT%20%22x%20y%22", "imap://h/x;UIDVALIDITY=7/;UID=20/;SECTION=1.2.MIME/;PARTIAL=3.4",
		"imap://h/x/;MAILINDEX=3/;SECTION=HEADER.FIELDS%20%28To%20Cc%29",
	} {
		what := read(text)
		if again := read("imap://h" + what.Path()); !reflect.DeepEqual(what, again) {
			t.Errorf("%s: %+v, then %+v", text, what, again)
		}
	}
}
