package cli

import (
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/farend-go/farend/conv/faults"
)

// fieldFlags are those of a server in the field, which few need: --help-all and
// the man page have them.
func fieldFlags(f *pflag.FlagSet) {
	rare := pflag.NewFlagSet("", pflag.ContinueOnError)
	rare.SortFlags = false
	rare.Duration("handover-timeout", handoverTimeout, "`TIME` to become ready in")
	rare.Duration("handover-grace", handoverGrace, "`TIME` for talks of before")
	rare.StringSlice("proxy-from", nil, "take PROXY headers from `CIDR,...`; unix too")
	rare.Bool("proxy-required", false, "close what comes from there without one")
	rare.Duration("proxy-timeout", 5*time.Second, "`TIME` for a header to come")
	rare.Duration("spin", 0, "events: look for `TIME` before sleeping")
	rare.String("loops", "", "events: `N` loops (default: one for each core)")
	rare.Bool("help-all", false, "all flags, and more about them")
	rare.VisitAll(func(flag *pflag.Flag) {
		flag.Hidden = true
		f.AddFlag(flag)
	})
}

// serveDetails is what farend serve --help-all and its man page say more.
const serveDetails = `Each flag is also a variable of the environment, as FAREND_PROXY_FROM, and a
key of the file, as proxy-from = ["10.0.0.0/8"], the names of services too:
FAREND_SERVICES, services = [...]. But --listen is FAREND_ECHO_LISTEN and
listen = [...] below [echo], and --config is FAREND_CONFIG alone. A flag wins
over the environment, that over the file. What starts is what the names say, and
--listen; else what has a FAREND_X_LISTEN; else what has a listen in the file;
else everything.

http, ftp and gopher serve --root, or a small tree in memory that http (PUT,
DELETE) and ftp may write to. Without --user every name and password is let in,
anonymous too, and ftp, and http where it may write, are for this host alone;
with it, those users only, whom http asks when they change something (Digest or
Basic; reading is open). FAREND_USER may name several, with
blanks between. ftp offers TLS (AUTH TLS) with the same certificate as ftps.

systemd:NAME serves the sockets that systemd passes under FileDescriptorName=
(systemd.socket(5)), systemd: all of them, fd:N descriptor N, inetd: the socket
on standard input; then nothing is printed there. With NOTIFY_SOCKET farend
tells when it is ready (Type=notify).

--proxy-from names who may say by the PROXY protocol, version 1 or 2, for whom
he connects: haproxy's send-proxy. Logs, --explain and what the services print
have that client's address. Everybody else's header is data like any other.
Such streams have a goroutine each, whatever the engine.

With --handover, SIGHUP starts the same command line again, from the same path,
so that a new version comes in; it gets the sockets, and no connection is
refused or lost. When it is ready the old process accepts no more and ends with
its conversations; when it is not, the old one serves on and says why. UDP then
has one socket in the place of one for each core. A certificate that was made at
start is made anew. In a unit of systemd: Type=notify-reload and
NotifyAccess=all. Without --handover, SIGHUP stops farend in good order.

Without --engine, services that wait for nothing but their clients (greet, echo,
upper, discard, daytime, time, smtp, submission, lmtp) have event loops on
io_uring if Linux is 6.12 or later and allows it, all others and those with TLS
or over Unix sockets on epoll; where there is no epoll, each connection has a
goroutine. --engine events is epoll for all, uring io_uring for all, or an
error.

--spin 50us trades a busy core for a several times higher rate with few
connections.
`

// faultDetails is the grammar of --fault; the whole of it is docs/faults.md.
func faultDetails() string {
	var b strings.Builder
	b.WriteString(`
A RULE is SERVICE [VERB] KEY=VALUE ...: with a verb (ftp RETR) it is armed when
the peer has said it, else when the connection begins. Keys:

`)
	for _, k := range faults.Keys() {
		b.WriteString("  " + pad(k.Word+"=", 9) + k.Text + "\n")
	}
	b.WriteString("\nWhat do= can be:\n\n")
	for _, d := range faults.Deeds() {
		b.WriteString("  " + pad(d.Word, 12) + d.Text + "\n")
	}
	b.WriteString("\n" + `delay, garble, lose, duplicate and reorder act on what the client reads, unless
dir= or a verb says more; the others on both directions. docs/faults.md has all
of it.`)
	return b.String()
}
