package transfer

import (
	"net/url"

	"golang.org/x/net/idna"

	"github.com/farend-go/farend/socket"
)

// CheckHost refuses the hosts of URLs that programs disagree about, in the form
// in which they are looked up: 127.1 is written in full, in full width too.
func CheckHost(u *url.URL) error {
	host := u.Hostname()
	if host == "" {
		return nil
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	return socket.CheckURLHost(host)
}
