package xmlrpc

import (
	"bufio"
	"errors"
	"io"
	"reflect"
	"strings"
)

// EncodeCall writes a call of method. Values that are io.Readers are read to
// their ends. The error is ErrType, ErrLimit or w's.
func EncodeCall(w io.Writer, method string, args []any, o Options) error {
	if !isMethod(method) {
		return errMethod(method)
	}
	return o.encode(w, func(e *encoder) error {
		e.raw("<methodCall><methodName>" + method + "</methodName><params>")
		for _, a := range args {
			if err := e.param(reflect.ValueOf(a)); err != nil {
				return err
			}
		}
		e.raw("</params></methodCall>\n")
		return nil
	})
}

// EncodeResponse writes an answer: result, or fault if it is not nil.
func EncodeResponse(w io.Writer, result any, fault *Fault, o Options) error {
	return o.encode(w, func(e *encoder) error {
		if fault == nil {
			e.raw("<methodResponse><params>")
			if err := e.param(reflect.ValueOf(result)); err != nil {
				return err
			}
			e.raw("</params></methodResponse>\n")
			return nil
		}
		e.raw("<methodResponse><fault>")
		if err := e.value(reflect.ValueOf(faultValue(fault)), 0); err != nil {
			return err
		}
		e.raw("</fault></methodResponse>\n")
		return nil
	})
}

// faultValue is a fault as a struct; what XML cannot carry of its text goes.
func faultValue(f *Fault) map[string]any {
	clean := strings.Map(func(r rune) rune {
		if !isChar(r) {
			return '\ufffd'
		}
		return r
	}, strings.ToValidUTF8(f.String, "\ufffd"))
	return map[string]any{"faultCode": int(int32(f.Code)), "faultString": clean}
}

func (o Options) encode(w io.Writer, write func(*encoder) error) error {
	e := &encoder{bufio.NewWriterSize(w, 4096), o}
	e.raw("<?xml version=\"1.0\"?>\n")
	if err := write(e); err != nil {
		return err
	}
	return e.w.Flush()
}

func (e *encoder) param(v reflect.Value) error {
	e.raw("<param>")
	if err := e.value(v, 0); err != nil {
		return err
	}
	e.raw("</param>")
	return nil
}

// isMethod tells the names that the specification allows.
func isMethod(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("_.:/", rune(c)) {
			return false
		}
	}
	return name != "" && len(name) < 256
}

func errMethod(name string) error {
	return errors.Join(ErrType, errors.New("xmlrpc: method name "+strings.ToValidUTF8(name[:min(40, len(name))], "?")+": want letters, digits, and _.:/"))
}

// call reads a call as far as its parameters; each then follows by param.
func (d *decoder) call() (method string, err error) {
	if err := d.begin("methodCall"); err != nil {
		return "", err
	}
	if err := d.begin("methodName"); err != nil {
		return "", err
	}
	if method, err = d.content(256); err != nil {
		return "", err
	}
	if method = strings.TrimSpace(method); !isMethod(method) {
		return "", syntax("method name %.40q", method)
	}
	if err := d.step(); err != nil {
		return "", err
	}
	if d.kind == endTag { // without parameters, not even an empty list
		d.buf = nil
		return method, d.closed()
	}
	return method, d.is(startTag, "params")
}

// closed checks that nothing follows.
func (d *decoder) closed() error {
	if err := d.step(); err != nil {
		return err
	}
	if d.kind != endOfFile {
		return syntax("something follows the end")
	}
	return nil
}

// param goes to the next parameter's value; false when there is none.
func (d *decoder) param() (bool, error) {
	if d.kind == endOfFile {
		return false, nil
	}
	if err := d.step(); err != nil {
		return false, err
	}
	if d.kind == endTag { // </params>
		if err := d.step(); err != nil { // </methodCall> or </methodResponse>
			return false, err
		}
		if d.kind != endTag {
			return false, syntax("<%s> behind the parameters", d.name)
		}
		return false, d.closed()
	}
	if err := d.is(startTag, "param"); err != nil {
		return false, err
	}
	return true, d.begin("value")
}

// DecodeCall reads a call; its arguments have the types that the package
// comment names. Errors are ErrSyntax, ErrLimit or r's.
func DecodeCall(r io.Reader, o Options) (method string, args []any, err error) {
	d, err := newDecoder(r, "", o)
	if err != nil {
		return "", nil, err
	}
	if method, err = d.call(); err != nil {
		return "", nil, err
	}
	for {
		more, err := d.param()
		if err != nil || !more {
			return method, args, err
		}
		var v any
		if err := d.value(reflect.ValueOf(&v).Elem()); err != nil {
			return "", nil, err
		}
		if err := d.end("param"); err != nil {
			return "", nil, err
		}
		args = append(args, v)
	}
}

// DecodeResponse reads an answer into result, a pointer (nil: it is passed
// over). The error is a *Fault where the answer is one, else ErrSyntax,
// ErrLimit, ErrType or r's.
func DecodeResponse(r io.Reader, result any, o Options) error {
	d, err := newDecoder(r, "", o)
	if err != nil {
		return err
	}
	return d.response(result)
}

func (d *decoder) response(result any) error {
	to := reflect.ValueOf(result)
	if result != nil && (to.Kind() != reflect.Pointer || to.IsNil()) {
		if _, ok := result.(io.Writer); !ok {
			return errors.Join(ErrType, errors.New("xmlrpc: the result is no pointer"))
		}
	}
	if err := d.begin("methodResponse"); err != nil {
		return err
	}
	if err := d.begin("params", "fault"); err != nil {
		return err
	}
	if d.name == "fault" {
		return d.fault()
	}
	more, err := d.param()
	if err != nil {
		return err
	}
	if !more {
		return syntax("an answer without a value")
	}
	if err := d.value(place(to)); err != nil {
		return err
	}
	if err := d.end("param"); err != nil {
		return err
	}
	if more, err := d.param(); err != nil || more {
		return errors.Join(err, syntax("an answer of several values"))
	}
	return nil
}

// place is where a result goes: what a pointer leads to, so that nil can be
// set, or the value itself where it takes a stream.
func place(to reflect.Value) reflect.Value {
	if to.IsValid() && to.Kind() == reflect.Pointer {
		if _, ok := reflect.TypeAssert[io.Writer](to); !ok {
			return to.Elem()
		}
	}
	return to
}

func (d *decoder) fault() error {
	if err := d.begin("value"); err != nil {
		return err
	}
	var f struct {
		Code   int    `xmlrpc:"faultCode"`
		String string `xmlrpc:"faultString"`
	}
	if err := d.value(reflect.ValueOf(&f).Elem()); err != nil {
		return err
	}
	if err := d.end("fault"); err != nil {
		return err
	}
	if err := d.end("methodResponse"); err != nil {
		return err
	}
	if err := d.closed(); err != nil {
		return err
	}
	return &Fault{f.Code, f.String}
}
