package mail_test

import (
	"io"
	"strings"
	"testing"

	"github.com/farend-go/farend/mailbox"
	"github.com/farend-go/farend/proto/smtp"
)

func address(t *testing.T, text string) smtp.Mailbox {
	t.Helper()
	m, err := smtp.ParseMailbox(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestNotice tells a sender with a mailbox here of what he asked for.
func TestNotice(t *testing.T) {
	everywhere(t, mailbox.Options{}, []string{"ann", "bob", "carl"}, func(t *testing.T, w *world) {
		c, err := smtp.Dial(t.Context(), "tcp:"+w.lmtp, smtp.Options{LMTP: true, Security: smtp.InClear})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		send := func(from, envelope string, notify smtp.Notify) {
			t.Helper()
			m := smtp.Message{
				From: smtp.Sender{Mailbox: address(t, from), EnvID: envelope}, Body: strings.NewReader("Subject: x\r\nX-Y: z\r\n\r\nsecret\r\n"),
				To: []smtp.Recipient{
					{Mailbox: address(t, "ann@x.test"), Notify: notify, ORcpt: "rfc822;list@y.test"},
					{Mailbox: address(t, "bob@x.test"), Notify: smtp.NotifyFailure},
				},
			}
			if _, err := c.Send(t.Context(), m); err != nil {
				t.Error(err)
			}
		}
		send("carl@x.test", "env 1", smtp.NotifySuccess)
		send("carl@x.test", "env 1", smtp.NotifySuccess) // again
		send("carl@x.test", "", smtp.NotifyNever)
		send("eve@elsewhere.test", "", smtp.NotifySuccess)
		_, m := inbox(t, w, "carl")
		if n := count(t, m); n != 1 {
			t.Fatalf("%d notices", n)
		}
		open, err := m.Message(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		defer open.Close()
		root, err := open.Structure(t.Context())
		if err != nil || len(root.Parts) != 3 || len(root.Defects) > 0 {
			t.Fatalf("%+v, %v", root, err)
		}
		text := make([]byte, root.End)
		if _, err := open.ReadAt(text, 0); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		for _, want := range []string{
			"Return-Path: <>\r\n", "report-type=delivery-status", "Original-Envelope-Id: env 1\r\n", "Original-Recipient: rfc822;list@y.test\r\n",
			"Final-Recipient: rfc822; ann@x.test\r\nAction: delivered\r\nStatus: 2.0.0\r\n", "Subject: x\r\nX-Y: z\r\n",
		} {
			if !strings.Contains(string(text), want) {
				t.Errorf("no %q in %s", want, text)
			}
		}
		if strings.Contains(string(text), "bob@") || strings.Contains(string(text), "secret") {
			t.Errorf("%s", text)
		}
	})
}
