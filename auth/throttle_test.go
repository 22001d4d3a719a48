package auth_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/farend-go/farend/auth"
)

func from(a, b, c, d byte) auth.Channel {
	return auth.Channel{Peer: &net.TCPAddr{IP: net.IPv4(a, b, c, d)}}
}

// took logs in and tells how long that took.
func took(t *testing.T, a *auth.Authenticator, password string, ch auth.Channel) (time.Duration, error) {
	t.Helper()
	began := time.Now()
	_, err := a.CheckPassword(t.Context(), "ann", password, ch)
	return time.Since(began), err
}

func guarded() *auth.Authenticator {
	return &auth.Authenticator{Accounts: &auth.Users{Secrets: map[string]auth.Secret{"ann": auth.Clear("secret")}}, ClearText: true}
}

func TestGuessingIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, guesser, other := guarded(), from(192, 0, 2, 1), from(192, 0, 2, 2)
		// The first two are only answered late; from the third on each waits at
		// first, too: 1+4, 2+8, 4+16, 8+16 ...
		for i, want := range []time.Duration{1, 2, 5, 10, 20, 24, 32, 32} {
			if d, err := took(t, a, "wrong", guesser); !errors.Is(err, auth.ErrRefused) || d != want*time.Second {
				t.Errorf("guess %d took %v: %v, want %v s", i+1, d, err, want)
			}
		}
		if d, err := took(t, a, "secret", guesser); err != nil || d != 16*time.Second {
			t.Errorf("the right one took %v: %v", d, err)
		}
		if d, err := took(t, a, "secret", other); err != nil || d != 0 {
			t.Errorf("somebody else's took %v: %v", d, err)
		}
		<-time.After(5 * time.Minute)
		if d, err := took(t, a, "wrong", guesser); !errors.Is(err, auth.ErrRefused) || d != time.Second {
			t.Errorf("after a while: %v, %v", d, err)
		}
	})
}

func TestRefusalsTakeTheSameWhateverMechanism(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, mechanism := range []string{auth.PLAIN, auth.LOGIN, auth.CRAMMD5, auth.SCRAMSHA1, auth.SCRAMSHA256} {
			for _, user := range []string{"ann", "nobody"} {
				a := guarded()
				began := time.Now()
				_, _, err := meet(t, a, auth.Credentials{User: user, Password: "wrong", Mechanism: mechanism}, local())
				if d := time.Since(began); !errors.Is(err, auth.ErrRefused) || d != time.Second {
					t.Errorf("%s as %s: %v, %v", mechanism, user, d, err)
				}
			}
		}
	})
}

func TestTheWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := guarded()
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			_, err := a.CheckPassword(ctx, "ann", "wrong", from(192, 0, 2, 1))
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context()) // the failures count all the same
		cancel()
		if _, err := a.CheckPassword(ctx, "ann", "secret", from(192, 0, 2, 1)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestANetworkOfIPv6IsOnePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := guarded()
		for i := range 2 {
			if _, err := took(t, a, "wrong", auth.Channel{Peer: &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: i}}); !errors.Is(err, auth.ErrRefused) {
				t.Fatal(err)
			}
		}
		if d, err := took(t, a, "secret", auth.Channel{Peer: &net.TCPAddr{IP: net.ParseIP("2001:db8::ffff")}}); err != nil || d != time.Second {
			t.Errorf("the same network: %v, %v", d, err)
		}
		if d, err := took(t, a, "secret", auth.Channel{Peer: &net.TCPAddr{IP: net.ParseIP("2001:db8:0:1::1")}}); err != nil || d != 0 {
			t.Errorf("another: %v, %v", d, err)
		}
	})
}

func TestWhoeverGuessesIsKeptInBoundedMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := guarded()
		a.Delay = time.Nanosecond
		for i := range 10_200 {
			if _, err := took(t, a, "wrong", from(10, 1, byte(i>>8), byte(i))); !errors.Is(err, auth.ErrRefused) {
				t.Fatal(err)
			}
		}
		if n := a.Offenders(); n > 10_000 || n < 9_000 {
			t.Errorf("%d peers are remembered", n)
		}
	})
}

// broken are Accounts that cannot be asked.
type broken struct{ *auth.Users }

var errDisk = errors.New("disk on fire")

func (broken) Lookup(context.Context, string) (auth.Account, error) { return auth.Account{}, errDisk }

func TestAFaultIsNoRefusal(t *testing.T) {
	a := &auth.Authenticator{Accounts: broken{guarded().Accounts.(*auth.Users)}}
	for _, mechanism := range a.Mechanisms(local().server) {
		_, _, err := meet(t, a, auth.Credentials{User: "ann", Password: "secret", Mechanism: mechanism}, local())
		if !errors.Is(err, errDisk) || errors.Is(err, auth.ErrRefused) {
			t.Errorf("%s: %v", mechanism, err)
		}
	}
}
