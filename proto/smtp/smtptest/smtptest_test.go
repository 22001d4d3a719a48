package smtptest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/proto/smtp"
	"github.com/farend-go/farend/proto/smtp/smtptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func send(t *testing.T, ctx context.Context, srv *smtptest.Server, to string) error {
	t.Helper()
	return smtp.SendMail(ctx, srv.Addr, nil, "shop@example.test", []string{to}, []byte("Subject: for "+to+"\n\nx\n"))
}

// TestWait waits for messages that come from elsewhere, and for one that does
// not come.
func TestWait(t *testing.T) {
	srv := smtptest.NewWith(t, smtptest.Options{Handler: func(h *smtp.Handler) { h.TLS = nil }})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	sent := make(chan error)
	go func() {
		var err error
		for i := range 3 {
			err = errors.Join(err, send(t, ctx, srv, fmt.Sprintf("r%d@example.test", i)))
		}
		sent <- err
	}()
	m, err := srv.WaitFor(ctx, func(m smtptest.Message) bool { return m.IsFor("r1@example.test") })
	if err != nil || m.Header("subject") != "for r1@example.test" || m.Header("X-None") != "" || m.Text() != "x\r\n" {
		t.Errorf("%+v, %v", m, err)
	}
	if all, err := srv.Wait(ctx, 3); err != nil || len(all) != 3 {
		t.Errorf("%d, %v", len(all), err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	srv.Reset()
	never, stop := context.WithCancel(ctx)
	stop()
	if all, err := srv.Wait(never, 1); !errors.Is(err, context.Canceled) || len(all) != 0 {
		t.Errorf("%d, %v", len(all), err)
	}
}

// failing is a test that has failed.
type failing struct {
	bench
	log strings.Builder
}

func (*failing) Failed() bool                 { return true }
func (f *failing) Logf(s string, args ...any) { fmt.Fprintf(&f.log, s+"\n", args...) }

// TestTranscript shows what was said, and the faults, when a test has failed.
func TestTranscript(t *testing.T) {
	f := &failing{}
	srv := smtptest.NewWith(f, smtptest.Options{
		Handler: func(h *smtp.Handler) { h.TLS = nil },
		Faults:  []faults.Rule{{Service: "smtp", Verb: "BDAT", After: 1, Do: faults.Close}, {Service: "smtp", Verb: "RCPT TO:<x@y>", Reply: "550 5.1.1 not x"}},
	})
	for to, want := range map[string]bool{"x@y": true, "z@y": true} {
		if err := send(t, t.Context(), srv, to); (err != nil) != want {
			t.Errorf("%s: %v", to, err)
		}
	}
	f.end()
	for _, want := range []string{"C: MAIL FROM:<shop@example.test>", "S: 550 5.1.1 not x", "FAULT 1", "SMTP session 2"} {
		if !strings.Contains(f.log.String(), want) {
			t.Errorf("%q is not in\n%s", want, f.log.String())
		}
	}
}
