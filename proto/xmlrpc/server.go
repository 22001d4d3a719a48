package xmlrpc

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// A Server answers calls, as Python's DocXMLRPCServer: POST calls a method, GET
// shows a page about all of them. system.listMethods, methodSignature,
// methodHelp, multicall and getCapabilities are always there. Its fields are
// set before the first request.
type Server struct {
	Methods Methods
	Options Options
	Title   string       // of the page; "": "XML-RPC"
	About   string       // what the page says first
	Log     *slog.Logger // hears of panics; nil: nobody
}

var _ http.Handler = (*Server)(nil)

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		s.post(w, r)
	case http.MethodGet, http.MethodHead:
		s.page(w)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, "XML-RPC is spoken by POST", http.StatusMethodNotAllowed)
	}
}

func (s *Server) post(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > s.Options.size() {
		http.Error(w, "the call is too large", http.StatusRequestEntityTooLarge)
		return
	}
	result, err := s.call(r)
	var out bytes.Buffer
	if err == nil {
		if err = EncodeResponse(&out, result, nil, s.Options); err != nil {
			out.Reset()
			err = &Fault{CodeInternal, "the answer cannot be sent: " + err.Error()}
		}
	}
	if err != nil {
		if err := EncodeResponse(&out, nil, faultOf(err), s.Options); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/xml; charset=utf-8")
	if out.Len() > worthwhile && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		h.Add("Vary", "Accept-Encoding")
		z := gzip.NewWriter(w)
		_, _ = out.WriteTo(z) // a client that went away is told nothing
		_ = z.Close()
		return
	}
	h.Set("Content-Length", strconv.Itoa(out.Len()))
	_, _ = out.WriteTo(w) // as above
}

// worthwhile is an answer that is compressed where the client takes that.
const worthwhile = 16 << 10

func acceptsGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(name, "gzip") && strings.ReplaceAll(q, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

// call carries out a request.
func (s *Server) call(r *http.Request) (any, error) {
	in, label, err := openBody(r.Body, r.Header, s.Options)
	if err != nil {
		return nil, err
	}
	d, err := newDecoder(in, label, s.Options)
	if err != nil {
		return nil, err
	}
	name, err := d.call()
	if err != nil {
		return nil, err
	}
	m, ok := s.method(name)
	if !ok {
		return nil, &Fault{CodeNoMethod, "there is no method " + name}
	}
	args := &arguments{m: m}
	for {
		more, err := d.param()
		if err != nil {
			return nil, err
		}
		if !more {
			return s.run(r.Context(), name, args)
		}
		to, err := args.place()
		if err != nil {
			return nil, err
		}
		if err := d.value(to); err != nil {
			return nil, fmt.Errorf("parameter %d: %w", len(args.vals), err)
		}
		if err := d.end("param"); err != nil {
			return nil, err
		}
	}
}

// run calls a method; a panic is a fault.
func (s *Server) run(ctx context.Context, name string, args *arguments) (result any, err error) {
	defer func() {
		if v := recover(); v != nil {
			if s.Log != nil {
				s.Log.Error("xmlrpc: panic", "method", name, "panic", v, "stack", string(debug.Stack()))
			}
			err = &Fault{CodeInternal, "internal error"}
		}
	}()
	return args.call(ctx)
}

// method finds a method, one of the system's too.
func (s *Server) method(name string) (Method, bool) {
	if m, ok := s.Methods[name]; ok {
		return m, true
	}
	about, ok := s.system()[name]
	if !ok {
		return Method{}, false
	}
	m, err := Func(about.f, about.help)
	return m, err == nil
}

type systemMethod struct {
	f    any
	help string
}

// system is what every server can be asked.
func (s *Server) system() map[string]systemMethod {
	return map[string]systemMethod{
		"system.listMethods":     {s.names, "The names of all methods, in order."},
		"system.methodSignature": {s.signatures, "The signatures of a method: arrays of the result's type and the parameters'."},
		"system.methodHelp":      {s.help, "What a method does."},
		"system.multicall":       {s.multicall, "Several calls at once: an array of structs with methodName and params; each answer is an array of one value, or a fault's struct."},
		"system.getCapabilities": {capabilities, "The specifications that this server keeps to."},
	}
}

func (s *Server) names() []string {
	all := slices.Collect(maps.Keys(s.system()))
	for name := range s.Methods {
		all = append(all, name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (s *Server) signatures(name string) (any, error) {
	m, ok := s.method(name)
	if !ok {
		return nil, &Fault{CodeNoMethod, "there is no method " + name}
	}
	if m.Signatures != nil {
		return m.Signatures, nil
	}
	if m.rest {
		return "signatures not supported", nil // what Python's server says where it knows none
	}
	return [][]string{m.signature()}, nil
}

func (s *Server) help(name string) (string, error) {
	m, ok := s.method(name)
	if !ok {
		return "", &Fault{CodeNoMethod, "there is no method " + name}
	}
	return m.Help, nil
}

func capabilities() map[string]any {
	spec := func(url string, version int) map[string]any {
		return map[string]any{"specUrl": url, "specVersion": version}
	}
	return map[string]any{
		"xmlrpc":           spec("http://xmlrpc.com/spec.md", 1),
		"faults_interop":   spec("http://xmlrpc-epi.sourceforge.net/specs/rfc.fault_codes.php", 20010516),
		"system.multicall": spec("http://mirrors.talideon.com/articles/multicall.html", 1),
		"introspection":    spec("http://xmlrpc-c.sourceforge.net/introspection.html", 1),
		"nil":              spec("https://web.archive.org/web/20050911054235/http://ontosys.com/xml-rpc/extensions.php", 20010518),
	}
}

// multicall makes several calls, one after the other; each has its own fault.
func (s *Server) multicall(ctx context.Context, calls []struct {
	Name   string `xmlrpc:"methodName"`
	Params []any  `xmlrpc:"params"`
}) []any {
	out := []any{}
	for _, c := range calls {
		result, err := s.one(ctx, c.Name, c.Params)
		if err != nil {
			out = append(out, faultValue(faultOf(err)))
			continue
		}
		out = append(out, []any{result})
	}
	return out
}

func (s *Server) one(ctx context.Context, name string, params []any) (any, error) {
	m, ok := s.method(name)
	switch {
	case name == "system.multicall":
		return nil, &Fault{CodeInvalid, "system.multicall within itself"}
	case !ok:
		return nil, &Fault{CodeNoMethod, "there is no method " + name}
	}
	args := &arguments{m: m}
	for i, p := range params {
		to, err := args.place()
		if err != nil {
			return nil, err
		}
		if err := refit(p, to.Addr().Interface(), s.Options); err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i+1, err)
		}
	}
	result, err := s.run(ctx, name, args)
	if err != nil {
		return nil, err
	}
	if r, ok := result.(io.Reader); ok { // it can be read only once
		if result, err = io.ReadAll(r); err != nil {
			return nil, err
		}
	}
	// One answer that cannot be sent is its own fault, not that of all.
	if err := (&encoder{w: discard(), o: s.Options}).value(reflect.ValueOf(result), 2); err != nil {
		return nil, &Fault{CodeInternal, "the answer cannot be sent: " + err.Error()}
	}
	return result, nil
}
