package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/xdg-go/scram"
)

// The mechanisms, by their registered names.
const (
	PLAIN           = "PLAIN"
	LOGIN           = "LOGIN"
	CRAMMD5         = "CRAM-MD5"
	SCRAMSHA1       = "SCRAM-SHA-1"
	SCRAMSHA1PLUS   = "SCRAM-SHA-1-PLUS"
	SCRAMSHA256     = "SCRAM-SHA-256"
	SCRAMSHA256PLUS = "SCRAM-SHA-256-PLUS"
	EXTERNAL        = "EXTERNAL"
	ANONYMOUS       = "ANONYMOUS"
	OAUTHBEARER     = "OAUTHBEARER"
	XOAUTH2         = "XOAUTH2"
)

// strength is the order in which they are offered and tried.
func strength() []string {
	return []string{
		EXTERNAL, SCRAMSHA256PLUS, SCRAMSHA1PLUS, SCRAMSHA256, SCRAMSHA1,
		OAUTHBEARER, XOAUTH2, CRAMMD5, PLAIN, LOGIN, ANONYMOUS,
	}
}

// An Authenticator is the server's side: who may come in, and how he says so.
// Its fields are set before its first use and not changed afterwards; its
// methods may be called concurrently. One Authenticator for all of a server's
// protocols counts failures together. Without Accounts it lets nobody in.
type Authenticator struct {
	Accounts Accounts

	// ClearText lets plain passwords in from elsewhere without TLS. From the
	// same machine they always are.
	ClearText bool
	// Only restricts what is offered; nil: whatever is possible.
	Only []string

	Delay    time.Duration // how long a refusal takes; it doubles with each failure of a peer. 0: 1 s; below 0: no delay, and none counted
	MaxDelay time.Duration // where that ends; 0: 16 s

	// Key makes up what an unknown user's salt would be, always the same. It is
	// random and should outlast restarts, as the salts of real users do, or a
	// restart tells who is unknown; nil: random for the life of this value.
	Key []byte

	throttle throttle
	once     sync.Once
	key      []byte
	hashers  chan struct{} // argon2 takes memory: so many at once
	nonce    func() string // for the tests' vectors; nil: random
	pick     func() string // CRAM-MD5's challenge, likewise
}

func (a *Authenticator) start() {
	a.once.Do(func() {
		a.key = a.Key
		if a.key == nil {
			a.key = make([]byte, 32)
			_, _ = rand.Read(a.key) // never fails
		}
		a.hashers = make(chan struct{}, runtime.GOMAXPROCS(0))
	})
}

// Mechanisms is what to offer on a connection, strongest first. It may be
// empty; it changes when TLS begins.
func (a *Authenticator) Mechanisms(ch Channel) []string {
	if a.Accounts == nil {
		return nil
	}
	kinds := a.Accounts.Kinds()
	bound := ch.TLS != nil && len(ch.bindings(true)) > 0
	_, tokens := a.Accounts.(Tokens)
	_, certificates := a.Accounts.(Certificates)
	_, guests := a.Accounts.(Guests)
	may := map[string]bool{
		PLAIN:           a.PlainAllowed(ch),
		LOGIN:           a.PlainAllowed(ch),
		CRAMMD5:         kinds&KindClear != 0,
		SCRAMSHA1:       kinds&KindSHA1 != 0,
		SCRAMSHA1PLUS:   kinds&KindSHA1 != 0 && bound,
		SCRAMSHA256:     kinds&KindSHA256 != 0,
		SCRAMSHA256PLUS: kinds&KindSHA256 != 0 && bound,
		EXTERNAL:        certificates && ch.TLS != nil && len(ch.TLS.VerifiedChains) > 0,
		ANONYMOUS:       guests,
		OAUTHBEARER:     tokens && a.clearAllowed(ch), // RFC 7628 section 3: only over TLS
		XOAUTH2:         tokens && a.clearAllowed(ch),
	}
	return slices.DeleteFunc(strength(), func(name string) bool {
		return !may[name] || a.Only != nil && !slices.Contains(a.Only, name)
	})
}

// PlainAllowed tells whether CheckPassword can succeed on a connection: for
// USER and PASS, and whatever else takes plain passwords.
func (a *Authenticator) PlainAllowed(ch Channel) bool {
	return a.Accounts != nil && a.Accounts.Kinds() != 0 && a.clearAllowed(ch)
}

// DigestAllowed tells whether CheckDigest can succeed: some account is kept in
// clear text.
func (a *Authenticator) DigestAllowed() bool {
	return a.Accounts != nil && a.Accounts.Kinds()&KindClear != 0
}

func (a *Authenticator) clearAllowed(ch Channel) bool { return a.ClearText || ch.Private() }

// Server begins an exchange. name is as the client wrote it. ErrMechanism: it
// is not offered on this connection; ErrClear: it would be with TLS.
func (a *Authenticator) Server(name string, ch Channel) (Server, error) {
	name = strings.ToUpper(name)
	if !slices.Contains(a.Mechanisms(ch), name) {
		if !a.clearAllowed(ch) && slices.Contains([]string{PLAIN, LOGIN, OAUTHBEARER, XOAUTH2}, name) {
			return nil, ErrClear
		}
		return nil, ErrMechanism
	}
	a.start()
	e := exchange{a: a, ch: ch}
	switch name {
	case PLAIN:
		return &plainServer{exchange: e}, nil
	case LOGIN:
		return &loginServer{exchange: e}, nil
	case CRAMMD5:
		return &cramServer{exchange: e}, nil
	case EXTERNAL:
		return &externalServer{exchange: e}, nil
	case ANONYMOUS:
		return &anonymousServer{exchange: e}, nil
	case OAUTHBEARER, XOAUTH2:
		return &bearerServer{exchange: e, google: name == XOAUTH2}, nil
	}
	return &scramServer{exchange: e, name: name}, nil
}

// CheckPassword is a login by name and plain password, for USER and PASS, HTTP
// Basic and the like. ErrRefused: it is refused, after a while; ErrClear: it
// came in clear, and was not looked at.
func (a *Authenticator) CheckPassword(ctx context.Context, user, password string, ch Channel) (Identity, error) {
	e := exchange{a: a, ch: ch}
	err := e.password(ctx, "", user, password)
	return e.id, err
}

// CheckDigest is a login by a proof that the client knows the password: digest
// is compared with what f makes of it. f is called once, also for a user that
// is unknown or whose password is not kept. APOP is such a login.
func (a *Authenticator) CheckDigest(ctx context.Context, user string, digest []byte, f func(password string) []byte, ch Channel) (Identity, error) {
	e := exchange{a: a, ch: ch}
	err := e.digest(ctx, user, digest, f)
	return e.id, err
}

// exchange is what the servers of all mechanisms have in common.
type exchange struct {
	a  *Authenticator
	ch Channel
	id Identity
}

func (e *exchange) Identity() Identity { return e.id }

// begin is before anything is looked up.
func (e *exchange) begin(ctx context.Context) (try, error) {
	e.a.start()
	first, limit := e.a.Delay, e.a.MaxDelay
	if first == 0 {
		first = defaultDelay
	}
	if limit == 0 {
		limit = defaultMaxDelay
	}
	return e.a.throttle.begin(ctx, e.ch.Peer, first, max(first, limit))
}

// lookup finds an account; for an unknown one, one that nothing matches.
func (e *exchange) lookup(ctx context.Context, user string) (account Account, known bool, err error) {
	if e.a.Accounts == nil {
		return account, false, nil
	}
	name := Prepare(user)
	account, err = e.a.Accounts.Lookup(ctx, name)
	if isUnknown(err) {
		if account.Name == "" {
			account.Name = name
		}
		return Account{Name: account.Name}, false, nil
	}
	if err != nil {
		return account, false, err
	}
	if account.Name == "" {
		account.Name = name
	}
	return account, name != "", nil
}

func isUnknown(err error) bool {
	return errors.Is(err, ErrNoAccount) || errors.Is(err, ErrRefused)
}

// password is a login by plain password.
func (e *exchange) password(ctx context.Context, authorization, user, password string) error {
	if !e.a.clearAllowed(e.ch) {
		return ErrClear
	}
	t, err := e.begin(ctx)
	if err != nil {
		return err
	}
	account, known, err := e.lookup(ctx, user)
	if err != nil {
		return err
	}
	if !known {
		account.Secret = e.a.decoy(user)
	}
	if account.Secret.Kinds()&KindArgon2 != 0 {
		select {
		case e.a.hashers <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		defer func() { <-e.a.hashers }()
	}
	same := account.Secret.Matches(password)
	return e.settle(ctx, t, same && known, account.Name, authorization)
}

// digest is a login by proof.
func (e *exchange) digest(ctx context.Context, user string, digest []byte, f func(password string) []byte) error {
	t, err := e.begin(ctx)
	if err != nil {
		return err
	}
	account, known, err := e.lookup(ctx, user)
	if err != nil {
		return err
	}
	same := account.Secret.proves(digest, f)
	return e.settle(ctx, t, same && known, account.Name, "")
}

// settle is the end of every login: yes, or no after a while.
func (e *exchange) settle(ctx context.Context, t try, yes bool, name, authorization string) error {
	other := Prepare(authorization)
	if yes && authorization != "" && other != name {
		may := false
		if d, ok := e.a.Accounts.(Deputies); ok && other != "" {
			var err error
			if may, err = d.MayAct(ctx, name, other); err != nil {
				return err
			}
		}
		yes = may
	}
	if !yes {
		if err := t.failed(ctx); err != nil {
			return err
		}
		return ErrRefused
	}
	e.id = Identity{Authentication: name, Authorization: name}
	if authorization != "" {
		e.id.Authorization = other
	}
	return nil
}

// decoy is a secret that takes as long to compare with as those of real users.
func (a *Authenticator) decoy(user string) Secret {
	var kinds Kinds
	if a.Accounts != nil {
		kinds = a.Accounts.Kinds()
	}
	switch {
	case kinds&KindArgon2 != 0:
		key := a.madeUp("argon2", user)
		return Secret{kinds: KindArgon2, argon: argon{time: argonTime, memory: argonMemory, threads: argonThreads, salt: key[:16], key: key}}
	case kinds&KindClear != 0:
		return Secret{kinds: KindClear}
	case kinds&KindSHA256 != 0:
		return Secret{kinds: KindSHA256, sha256: a.madeUpKeys(SCRAMSHA256, user)}
	}
	return Secret{kinds: KindSHA1, sha1: a.madeUpKeys(SCRAMSHA1, user)}
}

// madeUpKeys are the SCRAM keys of somebody unknown: always the same salt, and
// keys that no password has (RFC 5802 section 9's advice against telling who
// exists). As with Keys both mechanisms have the same salt.
func (a *Authenticator) madeUpKeys(name, user string) scram.StoredCredentials {
	size := sha256.Size
	if name == SCRAMSHA1 {
		size = sha1.Size
	}
	return scram.StoredCredentials{
		KeyFactors: scram.KeyFactors{Salt: string(a.madeUp("salt", user)[:16]), Iters: Iterations},
		StoredKey:  a.madeUp("stored "+name, user)[:size],
		ServerKey:  a.madeUp("server "+name, user)[:size],
	}
}

func (a *Authenticator) madeUp(what, user string) []byte {
	return mac(sha256.New, a.key, what+"\x00"+Prepare(user))
}
