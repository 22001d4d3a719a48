package socket

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// service is one line of services(5).
type service struct {
	name     string
	port     int
	protocol string
	aliases  []string
}

// GetServByName gives the port of a service, getservbyname(3). An empty
// protocol takes the first one listed; otherwise it is "tcp", "udp", ... The
// error is EAI_SERVICE.
func GetServByName(name, protocol string) (int, error) {
	return (*Resolver)(nil).GetServByName(name, protocol)
}

// GetServByPort gives the name of the service on a port, getservbyport(3). An
// empty protocol takes the first one listed. The error is EAI_SERVICE, or
// ErrPortRange.
func GetServByPort(port int, protocol string) (string, error) {
	return (*Resolver)(nil).GetServByPort(port, protocol)
}

// GetServByName is the function of that name with this resolver's services.
func (r *Resolver) GetServByName(name, protocol string) (int, error) {
	for _, s := range r.services() {
		if protocol != "" && s.protocol != protocol {
			continue
		}
		if s.name == name || slices.Contains(s.aliases, name) {
			return s.port, nil
		}
	}
	return 0, fmt.Errorf("service %q, protocol %q: %w", name, protocol, EAI_SERVICE)
}

// GetServByPort is the function of that name with this resolver's services.
func (r *Resolver) GetServByPort(port int, protocol string) (string, error) {
	if _, err := portNumber(port); err != nil {
		return "", err
	}
	for _, s := range r.services() {
		if s.port == port && (protocol == "" || s.protocol == protocol) {
			return s.name, nil
		}
	}
	return "", fmt.Errorf("port %d, protocol %q: %w", port, protocol, EAI_SERVICE)
}

// services reads the services file, or the built-in table where there is none.
func (r *Resolver) services() []service {
	f, err := os.Open(r.file("services"))
	if err != nil {
		return parseServices(strings.NewReader(builtinServices))
	}
	defer f.Close()
	return parseServices(f)
}

// parseServices reads services(5): name, port/protocol, aliases. A line that
// makes no sense is passed over, as the C library does.
func parseServices(in io.Reader) []service {
	var out []service
	for fields := range tableLines(in) {
		if len(fields) < 2 {
			continue
		}
		number, protocol, ok := strings.Cut(fields[1], "/")
		port, err := strconv.ParseUint(number, 10, 16)
		if !ok || err != nil || protocol == "" {
			continue
		}
		out = append(out, service{fields[0], int(port), protocol, fields[2:]})
	}
	return out
}

// tableLines yields the fields of each line of a file in the style of
// /etc/hosts: blanks between fields, a comment from # to the end.
func tableLines(in io.Reader) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		lines := bufio.NewReader(in)
		for {
			line, err := lines.ReadString('\n')
			line, _, _ = strings.Cut(line, "#")
			if fields := strings.Fields(line); len(fields) > 0 && !yield(fields) {
				return
			}
			if err != nil {
				return
			}
		}
	}
}

// builtinServices is what a program of the tutorials may ask for on a system
// without a services file. Names and numbers are IANA's registry (RFC 6335).
const builtinServices = `
tcpmux 1/tcp
echo 7/tcp
echo 7/udp
discard 9/tcp sink null
discard 9/udp sink null
systat 11/tcp users
daytime 13/tcp
daytime 13/udp
netstat 15/tcp
qotd 17/tcp quote
chargen 19/tcp ttytst source
chargen 19/udp ttytst source
ftp-data 20/tcp
ftp 21/tcp
ssh 22/tcp
telnet 23/tcp
smtp 25/tcp mail
time 37/tcp timserver
time 37/udp timserver
whois 43/tcp nicname
domain 53/tcp
domain 53/udp
bootps 67/udp
bootpc 68/udp
tftp 69/udp
gopher 70/tcp
finger 79/tcp
http 80/tcp www
kerberos 88/tcp
kerberos 88/udp
pop3 110/tcp pop-3
sunrpc 111/tcp portmapper
sunrpc 111/udp portmapper
auth 113/tcp authentication tap ident
nntp 119/tcp readnews untp
ntp 123/udp
imap2 143/tcp imap
snmp 161/tcp
snmp 161/udp
irc 194/tcp
ldap 389/tcp
ldap 389/udp
https 443/tcp
https 443/udp
submissions 465/tcp ssmtp smtps urd
syslog 514/udp
uucp 540/tcp uucpd
nntps 563/tcp snntp
submission 587/tcp
ldaps 636/tcp
ldaps 636/udp
ftps-data 989/tcp
ftps 990/tcp
telnets 992/tcp
imaps 993/tcp
ircs 994/tcp
pop3s 995/tcp
socks 1080/tcp
http-alt 8080/tcp webcache
http-alt 8080/udp
`
