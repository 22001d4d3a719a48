package open_test

import (
	"io"
	"net/http"
	"strings"
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
