package xmlrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Methods are what a server can be asked for, by name.
type Methods map[string]Method

// A Method is a Go function that can be called; Func and Receiver make one.
type Method struct {
	Help string
	// Signatures are what system.methodSignature tells, each the result's type
	// and the parameters'; nil: that of the function.
	Signatures [][]string

	f      reflect.Value
	in     []reflect.Type // its parameters
	ctx    bool           // a context comes first
	rest   bool           // the last takes any number
	value  bool           // it gives a value
	failed bool           // it gives an error, last
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
	readerType  = reflect.TypeFor[io.Reader]()
)

// Func makes a method of a function. It may take a context first, the
// request's; then come its parameters, the last of which may be variadic. It
// gives a value, an error, both, or nothing (then the answer is true). An error
// that is a *Fault is sent as it is, any other as CodeApplication. The error of
// Func is ErrType, where XML-RPC cannot carry a type.
func Func(f any, help string) (Method, error) {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Func || v.IsNil() {
		return Method{}, fmt.Errorf("%w: %T is no function", ErrType, f)
	}
	return function(v, help)
}

func function(v reflect.Value, help string) (Method, error) {
	t := v.Type()
	m := Method{Help: help, f: v, rest: t.IsVariadic()}
	for i := range t.NumIn() {
		in := t.In(i)
		if i == 0 && in == contextType {
			m.ctx = true
			continue
		}
		if kindOf(in) == "" || in.Implements(readerType) {
			return m, fmt.Errorf("%w: parameter %d is %s", ErrType, i+1, in)
		}
		m.in = append(m.in, in)
	}
	outs := t.NumOut()
	if outs > 0 && t.Out(outs-1) == errorType {
		m.failed = true
		outs--
	}
	if outs > 1 || outs == 1 && kindOf(t.Out(0)) == "" {
		return m, fmt.Errorf("%w: a method gives one value of a type that XML-RPC has, an error, or both; not %s", ErrType, t)
	}
	m.value = outs == 1
	return m, nil
}

// Receiver makes methods of a value's exported methods, under "prefix.name"
// with the name's first letter small, or without prefix and dot. Those that
// XML-RPC cannot carry are an error, ErrType, unless skip names them (as in Go).
func Receiver(prefix string, value any, skip ...string) (Methods, error) {
	if prefix != "" {
		prefix += "."
	}
	v := reflect.ValueOf(value)
	out := Methods{}
	if !v.IsValid() {
		return nil, fmt.Errorf("%w: nil has no methods", ErrType)
	}
methods:
	for i := range v.NumMethod() {
		name := v.Type().Method(i).Name
		for _, s := range skip {
			if s == name {
				continue methods
			}
		}
		m, err := function(v.Method(i), "")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[prefix+strings.ToLower(name[:1])+name[1:]] = m
	}
	return out, nil
}

// kindOf is XML-RPC's name of a type, "" where it has none, as
// system.methodSignature tells it.
func kindOf(t reflect.Type) string {
	switch {
	case t == timeType:
		return "dateTime.iso8601"
	case t.Implements(readerType):
		return "base64"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return "any"
		}
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "int"
	case reflect.Float32, reflect.Float64:
		return "double"
	case reflect.String:
		return "string"
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 && t.Kind() == reflect.Slice {
			return "base64"
		}
		if kindOf(t.Elem()) != "" {
			return "array"
		}
	case reflect.Struct:
		return "struct"
	case reflect.Map:
		if t.Key().Kind() == reflect.String && kindOf(t.Elem()) != "" {
			return "struct"
		}
	}
	return ""
}

// signature is the kinds of the result and of the parameters.
func (m Method) signature() []string {
	out := []string{"boolean"}
	if m.value {
		out[0] = kindOf(m.f.Type().Out(0))
	}
	for _, in := range m.in {
		out = append(out, kindOf(in))
	}
	return out
}

// fixed is how many parameters there must be.
func (m Method) fixed() int {
	if m.rest {
		return len(m.in) - 1
	}
	return len(m.in)
}

// arguments collects the parameters of a call as they are decoded, into the
// types that the method wants.
type arguments struct {
	m    Method
	vals []reflect.Value
}

// place is where the next parameter goes.
func (a *arguments) place() (reflect.Value, error) {
	n := len(a.vals)
	var t reflect.Type
	switch {
	case n < a.m.fixed():
		t = a.m.in[n]
	case a.m.rest:
		t = a.m.in[len(a.m.in)-1].Elem()
	default:
		return reflect.Value{}, &Fault{CodeParameters, "too many parameters: " + a.m.wants()}
	}
	v := reflect.New(t).Elem()
	a.vals = append(a.vals, v)
	return v, nil
}

func (m Method) wants() string {
	kinds := m.signature()[1:]
	if m.rest {
		kinds[len(kinds)-1] = "any number of " + kindOf(m.in[len(m.in)-1].Elem())
	}
	if len(kinds) == 0 {
		return "it takes none"
	}
	return "it takes " + strings.Join(kinds, ", ")
}

// call runs the method.
func (a *arguments) call(ctx context.Context) (result any, err error) {
	if len(a.vals) < a.m.fixed() {
		return nil, &Fault{CodeParameters, "too few parameters: " + a.m.wants()}
	}
	in := a.vals
	if a.m.ctx {
		in = append([]reflect.Value{reflect.ValueOf(ctx)}, in...)
	}
	out := a.m.f.Call(in)
	if a.m.failed {
		if err, _ := reflect.TypeAssert[error](out[len(out)-1]); err != nil {
			return nil, err
		}
	}
	if !a.m.value {
		return true, nil
	}
	return out[0].Interface(), nil
}

// faultOf is an error as a fault.
func faultOf(err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	switch {
	case errors.Is(err, ErrType):
		return &Fault{CodeParameters, err.Error()}
	case errors.Is(err, ErrLimit):
		return &Fault{CodeInvalid, err.Error()}
	case errors.Is(err, ErrSyntax):
		return &Fault{CodeParse, err.Error()}
	}
	return &Fault{CodeApplication, err.Error()}
}
