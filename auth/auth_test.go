package auth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/farend-go/farend/auth"
	"github.com/farend-go/farend/internal/testcert"
)

// link is a connection as both ends see it.
type link struct{ client, server auth.Channel }

func local() link {
	ch := auth.Channel{Peer: &net.TCPAddr{IP: net.IPv6loopback}}
	return link{ch, ch}
}

func far() link {
	ch := auth.Channel{Peer: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}}
	return link{ch, ch}
}

// secured shakes hands for real.
func secured(t *testing.T, version uint16, withClient bool) link {
	t.Helper()
	cfg, peer := testcert.Server(t).Clone(), testcert.Client(t).Clone()
	peer.ServerName, peer.MaxVersion = "localhost", version
	if withClient {
		pair, err := testcert.New()
		if err != nil {
			t.Fatal(err)
		}
		cfg.ClientAuth, cfg.ClientCAs = tls.VerifyClientCertIfGiven, pair.Roots
		peer.Certificates = []tls.Certificate{pair.Certificate}
	}
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	server, client := tls.Server(a, cfg), tls.Client(b, peer)
	shaken := make(chan error, 1)
	go func() {
		err := server.Handshake()
		if err == nil {
			_, err = server.Write([]byte("x")) // the client's side ends before the server has looked at it
		}
		shaken <- err
	}()
	var x [1]byte
	_, err := client.Read(x[:])
	if err := errors.Join(err, <-shaken); err != nil {
		t.Fatal(err)
	}
	l, cs, ss := far(), client.ConnectionState(), server.ConnectionState()
	l.client.TLS, l.server.TLS, l.server.Certificate = &cs, &ss, auth.ServerCertificate(cfg)
	if l.server.Certificate == nil {
		t.Fatal("no certificate of the server's")
	}
	return l
}

// accounts have everything: ann's secret is in clear, bob's are keys, cat's an
// argon2id hash.
type accounts struct{ *auth.Users }

func everybody() accounts {
	return accounts{&auth.Users{Secrets: map[string]auth.Secret{
		"ann": auth.Clear("secret"), "bob": auth.Keys("secret"), "cat": auth.Hash("secret"), "a,b=c": auth.Clear("secret"),
	}}}
}

func (accounts) Token(_ context.Context, name, token string) (auth.Account, error) {
	if token != "fresh" {
		return auth.Account{}, auth.ErrRefused
	}
	return auth.Account{Name: name}, nil
}

func (accounts) Certificate(_ context.Context, state *tls.ConnectionState) (auth.Account, error) {
	if len(state.VerifiedChains) == 0 {
		return auth.Account{}, auth.ErrNoAccount
	}
	return auth.Account{Name: "ann"}, nil
}

func (accounts) Guest(context.Context, string) (auth.Account, error) {
	return auth.Account{Name: "guest"}, nil
}

// meet logs in, and tells by which mechanisms it was tried.
func meet(t *testing.T, a *auth.Authenticator, c auth.Credentials, l link) (id auth.Identity, tried []string, err error) {
	t.Helper()
	offered := a.Mechanisms(l.server)
	err = c.Login(t.Context(), offered, l.client, func(m auth.Client) error {
		tried = append(tried, m.Name())
		s, err := a.Server(m.Name(), l.server)
		if err != nil {
			return err
		}
		initial, err := m.Start()
		if err != nil {
			return err
		}
		id, err = auth.Converse(t.Context(), s, initial, m.Next)
		return err
	})
	return id, tried, err
}

func bearer(_ context.Context, fresh bool) (string, error) {
	if fresh {
		return "fresh", nil
	}
	return "stale", nil
}

func TestEveryMechanismAtBothEnds(t *testing.T) {
	a := &auth.Authenticator{Accounts: everybody(), Delay: -1}
	tls13, tls12, withCert := secured(t, 0, false), secured(t, tls.VersionTLS12, false), secured(t, 0, true)
	for _, c := range []struct {
		mechanism, user string
		link            link
	}{
		{auth.PLAIN, "ann", local()}, {auth.PLAIN, "bob", tls13}, {auth.PLAIN, "cat", tls12},
		{auth.LOGIN, "ann", tls13}, {auth.LOGIN, "bob", local()}, {auth.LOGIN, "cat", local()},
		{auth.CRAMMD5, "ann", far()}, {auth.CRAMMD5, "a,b=c", far()},
		{auth.SCRAMSHA1, "ann", far()}, {auth.SCRAMSHA1, "bob", tls13}, {auth.SCRAMSHA1, "a,b=c", far()},
		{auth.SCRAMSHA256, "ann", far()}, {auth.SCRAMSHA256, "bob", tls12}, {auth.SCRAMSHA256, "a,b=c", far()},
		{auth.SCRAMSHA1PLUS, "ann", tls13}, {auth.SCRAMSHA1PLUS, "ann", tls12},
		{auth.SCRAMSHA256PLUS, "bob", tls13}, {auth.SCRAMSHA256PLUS, "bob", tls12},
		{auth.EXTERNAL, "ann", withCert}, {auth.OAUTHBEARER, "a,b=c", tls13}, {auth.XOAUTH2, "ann", tls13},
	} {
		creds := auth.Credentials{User: c.user, Password: "secret", Mechanism: c.mechanism, External: true}
		if c.mechanism == auth.OAUTHBEARER || c.mechanism == auth.XOAUTH2 {
			creds.Token = bearer
		}
		if c.mechanism == auth.EXTERNAL {
			creds.User = ""
		}
		id, tried, err := meet(t, a, creds, c.link)
		if err != nil || id != (auth.Identity{Authentication: c.user, Authorization: c.user}) || !slices.Contains(tried, c.mechanism) {
			t.Errorf("%s as %s: %+v, %q, %v", c.mechanism, c.user, id, tried, err)
		}
	}
	if id, _, err := meet(t, a, auth.Credentials{Anonymous: true, Trace: "me@example.org"}, far()); err != nil || id.Authorization != "guest" {
		t.Errorf("anonymous: %+v, %v", id, err)
	}
}

func TestARefusalLooksTheSameWhoeverItIs(t *testing.T) {
	a := &auth.Authenticator{Accounts: everybody(), Delay: -1}
	for _, mechanism := range []string{auth.PLAIN, auth.LOGIN, auth.CRAMMD5, auth.SCRAMSHA1, auth.SCRAMSHA256} {
		for _, user := range []string{"ann", "bob", "cat", "nobody"} {
			id, _, err := meet(t, a, auth.Credentials{User: user, Password: "wrong", Mechanism: mechanism}, local())
			if fmt.Sprint(err) != auth.ErrRefused.Error() || id != (auth.Identity{}) {
				t.Errorf("%s as %s: %+v, %v", mechanism, user, id, err)
			}
		}
	}
}

func TestAnUnknownUserHasASaltThatStays(t *testing.T) {
	key := []byte("of the server's")
	ask := func(user string) string {
		a := &auth.Authenticator{Accounts: everybody(), Delay: -1, Key: key}
		s, err := a.Server(auth.SCRAMSHA256, local().server)
		if err != nil {
			t.Fatal(err)
		}
		first, _, err := s.Next(t.Context(), []byte("n,,n="+user+",r=x"))
		if err != nil {
			t.Fatal(err)
		}
		fields := strings.Split(string(first), ",")
		if len(fields) != 3 || fields[2] != fmt.Sprintf("i=%d", auth.Iterations) {
			t.Fatalf("%q", first)
		}
		return fields[1]
	}
	first, second := ask("nobody"), ask("nobody")
	if first != second || first == ask("noone") || len(first) != len(ask("ann")) {
		t.Error("the salt of an unknown user gives him away")
	}
}

func TestWhatIsOffered(t *testing.T) {
	tls13 := secured(t, 0, false)
	clear := map[string]auth.Secret{"ann": auth.Clear("secret")}
	both := []string{auth.SCRAMSHA256, auth.SCRAMSHA1, auth.CRAMMD5}
	for _, c := range []struct {
		what string
		a    *auth.Authenticator
		ch   auth.Channel
		want []string
	}{
		{"nobody", &auth.Authenticator{}, local().server, nil},
		{"no users", &auth.Authenticator{Accounts: &auth.Users{}}, local().server, []string{}},
		{"here", &auth.Authenticator{Accounts: &auth.Users{Secrets: clear}}, local().server, append(slices.Clone(both), auth.PLAIN, auth.LOGIN)},
		{"in clear", &auth.Authenticator{Accounts: &auth.Users{Secrets: clear}}, far().server, both},
		{"in clear, asked for", &auth.Authenticator{Accounts: &auth.Users{Secrets: clear}, ClearText: true}, far().server, append(slices.Clone(both), auth.PLAIN, auth.LOGIN)},
		{"over TLS", &auth.Authenticator{Accounts: &auth.Users{Secrets: clear}}, tls13.server, append([]string{auth.SCRAMSHA256PLUS, auth.SCRAMSHA1PLUS}, append(slices.Clone(both), auth.PLAIN, auth.LOGIN)...)},
		{"hashes in clear", &auth.Authenticator{Accounts: &auth.Users{Secrets: map[string]auth.Secret{"cat": auth.Hash("secret")}}}, far().server, []string{}},
		{"anybody", &auth.Authenticator{Accounts: &auth.Users{Secrets: clear, Anybody: true}}, local().server, []string{auth.CRAMMD5, auth.PLAIN, auth.LOGIN}},
		{"only one", &auth.Authenticator{Accounts: &auth.Users{Secrets: clear}, Only: []string{auth.PLAIN}}, local().server, []string{auth.PLAIN}},
	} {
		if got := c.a.Mechanisms(c.ch); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	a := &auth.Authenticator{Accounts: &auth.Users{Secrets: clear}}
	if _, err := a.Server("plain", far().server); !errors.Is(err, auth.ErrClear) {
		t.Errorf("PLAIN in clear: %v", err)
	}
	if _, err := a.Server("GSSAPI", far().server); !errors.Is(err, auth.ErrMechanism) {
		t.Errorf("GSSAPI: %v", err)
	}
	if _, err := a.CheckPassword(t.Context(), "ann", "secret", far().server); !errors.Is(err, auth.ErrClear) {
		t.Errorf("a password in clear: %v", err)
	}
}

func TestAnybody(t *testing.T) {
	a := &auth.Authenticator{Accounts: &auth.Users{Secrets: map[string]auth.Secret{"ann": auth.Clear("secret")}, Anybody: true}, Delay: -1}
	for _, mechanism := range []string{auth.CRAMMD5, auth.PLAIN, auth.LOGIN} {
		id, _, err := meet(t, a, auth.Credentials{User: "zoe", Password: "whatever", Mechanism: mechanism}, local())
		if err != nil || id.Authorization != "zoe" {
			t.Errorf("%s: %+v, %v", mechanism, id, err)
		}
		if _, _, err := meet(t, a, auth.Credentials{User: "ann", Password: "whatever", Mechanism: mechanism}, local()); !errors.Is(err, auth.ErrRefused) {
			t.Errorf("%s as ann: %v", mechanism, err)
		}
	}
}

func TestTheNextOneIsTriedWhereOneIsRefused(t *testing.T) {
	a := &auth.Authenticator{Accounts: everybody(), Delay: -1}
	id, tried, err := meet(t, a, auth.Credentials{User: "cat", Password: "secret"}, local())
	want := []string{auth.SCRAMSHA256, auth.PLAIN}
	if err != nil || id.Authorization != "cat" || !slices.Equal(tried, want) {
		t.Errorf("%+v, %q, %v", id, tried, err)
	}
	_, tried, err = meet(t, a, auth.Credentials{User: "cat", Password: "secret"}, far())
	if !errors.Is(err, auth.ErrRefused) || !slices.Equal(tried, []string{auth.SCRAMSHA256, auth.CRAMMD5}) {
		t.Errorf("in clear: %q, %v", tried, err)
	}
	_, tried, err = meet(t, a, auth.Credentials{User: "ann", Token: bearer}, secured(t, 0, false))
	if err != nil || !slices.Equal(tried, []string{auth.OAUTHBEARER, auth.OAUTHBEARER}) {
		t.Errorf("a stale token: %q, %v", tried, err)
	}
}

func TestNothingToTry(t *testing.T) {
	never := func(auth.Client) error { t.Error("tried"); return nil }
	c := auth.Credentials{User: "ann", Password: "secret"}
	if err := c.Login(t.Context(), []string{"PLAIN", "LOGIN"}, far().client, never); !errors.Is(err, auth.ErrClear) {
		t.Errorf("plain passwords in clear: %v", err)
	}
	if err := c.Login(t.Context(), []string{"GSSAPI"}, local().client, never); !errors.Is(err, auth.ErrMechanism) {
		t.Errorf("GSSAPI: %v", err)
	}
}

func TestAServerThatDoesNotKnowThePassword(t *testing.T) {
	c := auth.Credentials{User: "ann", Password: "secret"}
	begin := func() (auth.Client, string) {
		m, err := c.Client(t.Context(), auth.SCRAMSHA256, nil, far().client)
		if err != nil {
			t.Fatal(err)
		}
		first, err := m.Start()
		if err != nil {
			t.Fatal(err)
		}
		return m, string(first[len("n,,n=ann,r="):])
	}
	m, nonce := begin()
	if _, err := m.Next([]byte("r=" + nonce + "x,s=c2FsdA==,i=4096")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Next([]byte("v=bm90aGluZw==")); !errors.Is(err, auth.ErrServer) || m.Done() {
		t.Errorf("a false signature: %v, %v", err, m.Done())
	}
	for _, first := range []string{"r=mine,s=c2FsdA==,i=4096", "r=%sx,s=c2FsdA==,i=1", "r=%sx,s=c2FsdA==,i=2000000000", "r=%sx,s=c2FsdA==,i=99999999999999999999", "", "e=other-error"} {
		m, nonce := begin()
		if len(first) > 4 && first[2] == '%' {
			first = fmt.Sprintf(first, nonce)
		}
		if _, err := m.Next([]byte(first)); !errors.Is(err, auth.ErrMalformed) {
			t.Errorf("%q: %v", first, err)
		}
	}
	err := c.Login(t.Context(), []string{auth.SCRAMSHA256, auth.PLAIN}, local().client, func(m auth.Client) error { return nil })
	if !errors.Is(err, auth.ErrServer) {
		t.Errorf("a yes before the proof: %v", err)
	}
}

func TestAManInTheMiddleIsFound(t *testing.T) {
	here, there := secured(t, 0, false), secured(t, 0, false)
	split := link{here.client, there.server} // two handshakes, one exchange
	a := &auth.Authenticator{Accounts: everybody(), Delay: -1}
	_, _, err := meet(t, a, auth.Credentials{User: "ann", Password: "secret", Mechanism: auth.SCRAMSHA256PLUS}, split)
	if !errors.Is(err, auth.ErrRefused) {
		t.Errorf("bound to another connection: %v", err)
	}
	// He takes -PLUS out of the offer; the client says that it would have liked it.
	c := auth.Credentials{User: "ann", Password: "secret"}
	err = c.Login(t.Context(), []string{auth.SCRAMSHA256}, here.client, func(m auth.Client) error {
		s, err := a.Server(m.Name(), here.server)
		if err != nil {
			return err
		}
		initial, err := m.Start()
		if err != nil {
			return err
		}
		_, err = auth.Converse(t.Context(), s, initial, m.Next)
		return err
	})
	if !errors.Is(err, auth.ErrMalformed) {
		t.Errorf("an offer that was cut: %v", err)
	}
}

func TestServerCertificate(t *testing.T) {
	cfg := testcert.Server(t)
	leaf, err := x509.ParseCertificate(cfg.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	bare := cfg.Clone()
	bare.Certificates = []tls.Certificate{{Certificate: cfg.Certificates[0].Certificate}}
	if got := auth.ServerCertificate(bare); got == nil || !got.Equal(leaf) {
		t.Errorf("got %v", got)
	}
	if got := auth.ServerCertificate(&tls.Config{}); got != nil {
		t.Errorf("without one: %v", got)
	}
	if got := auth.ServerCertificate(nil); got != nil {
		t.Errorf("without TLS: %v", got)
	}
}
