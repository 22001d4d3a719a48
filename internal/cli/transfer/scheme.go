package transfer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A scheme is one line of the table: what get and put can do with its URLs.
type scheme struct {
	name string
	// refused makes an error of an answer that is one; nil: a status of HTTP,
	// which is an answer like any other unless Options.Fail says otherwise.
	refused func(resp *http.Response) error
	tree    func(c *Client, u *url.URL) (tree, error) // -r; nil: it has none
	put     func(c *Client, u *url.URL) putter        // nil: it takes nothing
}

// schemes is the table. How a scheme is opened is the opener's: New hands it
// the same names. It is an array because it is read for every URL, and is so
// without memory of its own.
func schemes() [21]scheme {
	return [...]scheme{
		{"http", nil, webTree, putWeb},
		{"https", nil, webTree, putWeb},
		{"ftp", refusedFTP, ftpTree, putFTP},
		{"ftps", refusedFTP, ftpTree, putFTP},
		{"gopher", refusedGopher, gopherTree, nil},
		{"gophers", refusedGopher, gopherTree, nil},
		{"nntp", refusedNNTP, nil, putNNTP},
		{"nntps", refusedNNTP, nil, putNNTP},
		{"news", refusedNNTP, nil, putNNTP},
		{"pop", refusedMail, nil, nil},
		{"pops", refusedMail, nil, nil},
		{"pop3", refusedMail, nil, nil},
		{"pop3s", refusedMail, nil, nil},
		{"imap", refusedMail, nil, putMail},
		{"imaps", refusedMail, nil, putMail},
		{"smtp", refusedMail, nil, putMail},
		{"smtps", refusedMail, nil, putMail},
		{"telnet", nil, nil, nil},
		{"telnets", nil, nil, nil},
		{"file", refusedFile, fileTree, nil},
		{"data", refusedFile, nil, nil},
	}
}

func schemeOf(name string) (scheme, bool) {
	all := schemes()
	i := slices.IndexFunc(all[:], func(s scheme) bool { return s.name == name })
	if i < 0 {
		return scheme{}, false
	}
	return all[i], true
}

// Schemes are the names of the schemes that are known.
func Schemes() []string {
	var names []string
	for _, s := range schemes() {
		names = append(names, s.name)
	}
	return names
}

// ParseURL reads a URL as people write it: without a scheme it is http, or ftp
// where the host's name begins so, as curl has it. The error is of usage.
func ParseURL(text string) (*url.URL, error) {
	word, _, colon := strings.Cut(text, ":")
	if _, known := schemeOf(strings.ToLower(word)); !strings.Contains(text, "://") && !(colon && known) {
		word = "http"
		if strings.HasPrefix(strings.ToLower(text), "ftp.") {
			word = "ftp"
		}
		text = word + "://" + text
	}
	u, err := url.Parse(text)
	if err != nil && Unread(text) != text { // the error itself may hold of the password
		return nil, failuref(CodeUsage, "no URL: in a name or password / is written %%2F, @ %%40, %% %%25")
	}
	if err != nil {
		return nil, failuref(CodeUsage, "no URL: %w", plain(err))
	}
	if _, ok := schemeOf(u.Scheme); !ok {
		return nil, failuref(CodeUsage, "%s: no such scheme; there are %s", u.Scheme, strings.Join(Schemes(), " "))
	}
	if u.Host == "" && u.Opaque == "" && u.Scheme != "file" && u.Scheme != "data" {
		return nil, failuref(CodeUsage, "no host in the URL")
	}
	if err := CheckHost(u); err != nil {
		return nil, failuref(CodeUsage, "%w", err)
	}
	return u, nil
}

// Unread is a text that is no URL, to be shown: without what may be a password
// in it, which is all from its first colon to its last at sign.
func Unread(text string) string {
	from := strings.Index(text, "://") + 1
	if from > 0 {
		from += len("//")
	}
	at := strings.LastIndexByte(text, '@')
	if at < from {
		return text
	}
	name, _, secret := strings.Cut(text[from:at], ":")
	if !secret {
		return text
	}
	return text[:from] + name + ":xxxxx" + text[at:]
}

// said is what a server says with its refusal.
func said(resp *http.Response) string {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 512)) // what there is of it
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if line = strings.TrimSpace(line); line == "" {
		return resp.Status
	}
	return line
}

// refusedFTP turns the statuses of an ftp.Transport back.
func refusedFTP(resp *http.Response) error {
	if resp.StatusCode < 400 {
		return nil
	}
	code := CodeWeird
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		code = CodeLogin
	case http.StatusNotFound:
		code = CodeMissing
		if resp.Header.Get("Ftp-Command") == "CWD" {
			code = CodeDenied
		}
	case http.StatusForbidden:
		code = CodeDenied
	case http.StatusServiceUnavailable:
		code = CodeDenied
	}
	err := failuref(code, "the server says: %s", said(resp))
	if resp.StatusCode == http.StatusServiceUnavailable {
		return &later{err}
	}
	return err
}

func refusedGopher(resp *http.Response) error {
	if resp.StatusCode < 400 {
		return nil
	}
	err := failuref(CodeMissing, "the server says: %s", said(resp))
	if resp.StatusCode == http.StatusServiceUnavailable {
		return &later{err}
	}
	return err
}

func refusedFile(resp *http.Response) error {
	if resp.StatusCode < 400 {
		return nil
	}
	return failuref(CodeResume, "nothing lies there: %s", resp.Status)
}

// later is a refusal that another time may not meet.
type later struct{ error }

func (l *later) Unwrap() error { return l.error }

// errFile puts curl's number on what a file: URL meets.
func errFile(u *url.URL, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok && u.Scheme == "file" {
		return failure(CodeNoFile, fmt.Errorf("%s: %w", pe.Path, pe.Err))
	}
	return err
}
