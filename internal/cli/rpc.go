package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/farend-go/farend/internal/cli/transfer"
	"github.com/farend-go/farend/open"
	"github.com/farend-go/farend/proto/xmlrpc"
)

// rpcCommand is what one farend rpc was told.
type rpcCommand struct {
	*env
	login    string
	caFile   string
	insecure bool
	limit    float64
	plain    bool
}

const rpcDetails = `An ARG is JSON: 3 is an int, 3.0 a double, true a boolean, "x" a string,
[1,2] an array, {"k":1} a struct, null nil. What is no JSON is a string.
date:2026-11-21T10:00:00 is a dateTime, base64:SGk= or @FILE is base64.

The result is JSON too, in one line: a dateTime is a string, as are the bytes
of base64, in base64. A fault is an error, with status 1 and nothing on
standard output.`

func newRPC(e *env) *cobra.Command {
	r := &rpcCommand{env: e}
	c := &cobra.Command{
		Use:   "rpc [flags] URL METHOD [ARG...]",
		Short: "Call a method of an XML-RPC server",
		Example: `farend rpc http://127.0.0.1:8080/RPC2 add 2 3
farend rpc http://127.0.0.1:8080/RPC2 echo '{"a":[1,2.5]}' word
farend rpc http://127.0.0.1:8080/RPC2 system.listMethods`,
		Long: rpcDetails,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return errors.New("rpc: want a URL and the name of a method")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return r.run(c.Context(), args[0], args[1], args[2:]) },
	}
	f := c.Flags()
	f.SetInterspersed(false) // -1 is an argument
	f.StringVarP(&r.login, "user", "u", "", "log in as `USER:PASSWORD` where the server asks")
	f.StringVar(&r.caFile, "cacert", "", "trust the authorities in `FILE`")
	f.BoolVarP(&r.insecure, "insecure", "k", false, "take any certificate")
	f.Float64VarP(&r.limit, "max-time", "m", 0, "give up after so many `SECONDS`")
	f.BoolVar(&r.plain, "plain", false, "send neither nil nor integers beyond 32 bits")
	return c
}

func (r *rpcCommand) run(ctx context.Context, address, method string, words []string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return usagef("rpc: want http://HOST:PORT/PATH or https") // what it is instead may hold a password
	}
	if err := transfer.CheckHost(u); err != nil {
		return usagef("rpc: %w", err)
	}
	if u.Path == "" {
		u.Path = "/RPC2" // where Python's ServerProxy calls
	}
	args, err := rpcArguments(words)
	if err != nil {
		return usageErr(fmt.Errorf("rpc: %w", err))
	}
	transport, err := r.transport()
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	if r.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(r.limit*float64(time.Second)))
		defer cancel()
	}
	client, err := r.client(u, transport)
	if err != nil {
		return err
	}
	c := &xmlrpc.Client{URL: u.String(), HTTP: client, Options: xmlrpc.Options{Extensions: !r.plain}}
	var result any
	if err := c.Call(ctx, method, args, &result); err != nil {
		return r.failure(u, method, err)
	}
	return r.writeJSON(rpcResult(result))
}

// failure says what went wrong, once.
func (r *rpcCommand) failure(u *url.URL, method string, err error) error {
	if fault, ok := errors.AsType[*xmlrpc.Fault](err); ok {
		return fmt.Errorf("rpc %s: fault %d: %s", method, fault.Code, strings.Join(strings.Fields(fault.String), " "))
	}
	if he, ok := errors.AsType[*xmlrpc.HTTPError](err); ok {
		return fmt.Errorf("rpc %s: %s answers HTTP %s", method, u.Redacted(), he.Status)
	}
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	said := strings.TrimPrefix(tidy(err).Error(), "xmlrpc: ")
	return fmt.Errorf("rpc %s: %s: %w", method, u.Redacted(), errors.New(said))
}

func (r *rpcCommand) transport() (*http.Transport, error) {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{InsecureSkipVerify: r.insecure, MinVersion: tls.VersionTLS12}}
	if r.caFile == "" {
		return t, nil
	}
	text, err := os.ReadFile(r.caFile)
	if err != nil {
		return nil, fmt.Errorf("rpc: --cacert: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("rpc: --cacert: %s: holds no PEM certificate", r.caFile)
	}
	t.TLSClientConfig.RootCAs = pool
	return t, nil
}

// client logs in by Basic or Digest where the server asks, with what -u or the
// URL says.
func (r *rpcCommand) client(u *url.URL, t *http.Transport) (*http.Client, error) {
	name, password, _ := strings.Cut(r.login, ":")
	if r.login == "" && u.User != nil {
		name = u.User.Username()
		password, _ = u.User.Password()
	}
	u.User = nil
	if name == "" {
		return &http.Client{Transport: t}, nil
	}
	stored := &open.HTTPPasswordMgrWithDefaultRealm{}
	if err := stored.AddPassword("", u.String(), name, password); err != nil {
		return nil, fmt.Errorf("rpc: %w", err)
	}
	return open.BuildOpener(open.TransportHandler{Base: t}, open.NewHTTPBasicAuthHandler(stored), open.NewHTTPDigestAuthHandler(stored)), nil
}

// rpcArguments makes values of what was typed.
func rpcArguments(words []string) ([]any, error) {
	args := []any{}
	for _, w := range words {
		v, err := rpcArgument(w)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	return args, nil
}

func rpcArgument(word string) (any, error) {
	if text, ok := strings.CutPrefix(word, "base64:"); ok {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("%s: not base64", word)
		}
		return b, nil
	}
	if text, ok := strings.CutPrefix(word, "date:"); ok {
		for _, layout := range []string{"2006-01-02T15:04:05", "20060102T15:04:05", "2006-01-02", time.RFC3339} {
			if t, err := time.Parse(layout, text); err == nil {
				return t, nil
			}
		}
		return nil, fmt.Errorf("%s: want date:2006-01-02T15:04:05", word)
	}
	if name, ok := strings.CutPrefix(word, "@"); ok && name != "" {
		b, err := os.ReadFile(name)
		return b, err
	}
	d := json.NewDecoder(strings.NewReader(word))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return word, nil // a word that needs no quotation marks
	}
	if _, err := d.Token(); err != io.EOF {
		return word, nil
	}
	return rpcNumbers(v)
}

// rpcNumbers makes ints and doubles of JSON's numbers, by how they are written.
func rpcNumbers(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return v.Float64()
		}
		n, err := v.Int64()
		if err != nil {
			return nil, fmt.Errorf("%s: no integer of 64 bits", v)
		}
		return n, nil
	case []any:
		for i := range v {
			if v[i], err = rpcNumbers(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range v {
			if v[k], err = rpcNumbers(v[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// rpcResult is a result as JSON has it.
func rpcResult(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.Format("2006-01-02T15:04:05")
	case float64:
		return rpcDouble(v)
	case []any:
		for i := range v {
			v[i] = rpcResult(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = rpcResult(v[k])
		}
	}
	return v
}

// rpcDouble stays a double when it is read back: 5 becomes 5.0.
type rpcDouble float64

func (d rpcDouble) MarshalJSON() ([]byte, error) {
	b, err := json.Marshal(float64(d))
	if err == nil && !bytes.ContainsAny(b, ".eE") {
		b = append(b, ".0"...)
	}
	return b, err
}
