package open_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/farend-go/farend/open"
	"github.com/farend-go/farend/proto/imap/imaptest"
	"github.com/farend-go/farend/proto/pop3/pop3test"
	"github.com/farend-go/farend/proto/smtp/smtptest"
)

// TestMailSchemes: mail is read and sent by URL alone.
func TestMailSchemes(t *testing.T) {
	const text = "From: ann@a.test\r\nTo: bob@b.test\r\nSubject: hello\r\n\r\nworld\r\n"
	box, drop := imaptest.New(t, imaptest.Options{Messages: []string{text}}), pop3test.New(t, pop3test.Options{Messages: []string{text}})
	post := smtptest.NewWith(t, smtptest.Options{})
	c := open.BuildOpener()
	defer c.CloseIdleConnections()
	for url, want := range map[string]string{
		"imap://" + imaptest.User + ":" + imaptest.Password + "@" + box.Addr + "/INBOX;UID=1": text,
		"imap://" + imaptest.User + ":" + imaptest.Password + "@" + box.Addr + "/INBOX":       "1 hello\n",
		"pop://" + pop3test.User + ":" + pop3test.Password + "@" + drop.Addr + "/1":           text,
	} {
		resp, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || string(b) != want {
			t.Errorf("%s: %s, %q, %v", url, resp.Status, b, err)
		}
	}
	trusting := open.New(nil, open.SMTP(post.Options())...)
	resp, err := trusting.Post("smtp://"+post.Addr+"/", "message/rfc822", strings.NewReader(text))
	if err != nil || resp.StatusCode != http.StatusOK || resp.Body.Close() != nil {
		t.Fatalf("%v, %v", resp, err)
	}
	if all, err := post.Wait(t.Context(), 1); err != nil || !all[0].IsFor("bob@b.test") {
		t.Errorf("%v, %v", all, err)
	}
}

// TestTutorial79_EverySchemeIsOpened knows every scheme of the tutorials' table
// without being told: nobody is at home, and that is all that is wrong.
func TestTutorial79_EverySchemeIsOpened(t *testing.T) {
	c := open.BuildOpener()
	defer c.CloseIdleConnections()
	for scheme := range strings.FieldsSeq("http https ftp ftps gopher gophers nntp nntps news imap imaps pop pops pop3 pop3s telnet telnets") {
		url := scheme + "://127.0.0.1:1/"
		if scheme == "nntp" || scheme == "nntps" || scheme == "news" {
			url += "local.test"
		}
		resp, err := c.Get(url)
		if err == nil { // some say so by a status
			resp.Body.Close()
			if resp.StatusCode < 500 {
				t.Errorf("%s: %s", url, resp.Status)
			}
			continue
		}
		if _, ok := errors.AsType[*net.OpError](err); !ok && !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
