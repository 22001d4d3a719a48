package xmlrpc

import (
	"bufio"
	"encoding"
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// field is one of a struct's that is a member.
type field struct {
	name      string
	index     []int
	omitEmpty bool
}

// fieldsOf are the exported fields, those of embedded structs too, by the tag
// `xmlrpc:"name,omitempty"`; "-" leaves a field out.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("xmlrpc")
		if !f.IsExported() || tag == "-" || f.Anonymous && f.Type.Kind() == reflect.Struct && tag == "" || behindPointer(t, f.Index) {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if name == "" {
			name = f.Name
		}
		out = append(out, field{name, f.Index, options == "omitempty"})
	}
	return out
}

// behindPointer tells a field of an embedded pointer, which may be nil.
func behindPointer(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		f := t.Field(i)
		if t = f.Type; t.Kind() == reflect.Pointer {
			return true
		}
	}
	return false
}

// encoder writes values.
type encoder struct {
	w *bufio.Writer
	o Options
}

func (e *encoder) raw(s string) { _, _ = e.w.WriteString(s) } // what fails here fails at Flush

// chars writes text, or says which of it XML cannot carry.
func (e *encoder) chars(s string) error {
	from := 0
	for i := 0; i < len(s); {
		c, size := rune(s[i]), 1
		if c >= utf8.RuneSelf {
			if c, size = utf8.DecodeRuneInString(s[i:]); c == utf8.RuneError && size == 1 {
				return fmt.Errorf("%w: a string that is not UTF-8 (bytes travel as base64)", ErrType)
			}
		}
		if !isChar(c) {
			return fmt.Errorf("%w: XML has no character %U", ErrType, c)
		}
		var as string
		switch c {
		case '<':
			as = "&lt;"
		case '>':
			as = "&gt;"
		case '&':
			as = "&amp;"
		case '\r': // or it would be read as LF
			as = "&#13;"
		}
		if as != "" {
			e.raw(s[from:i])
			e.raw(as)
			from = i + size
		}
		i += size
	}
	e.raw(s[from:])
	return nil
}

// value writes <value>…</value>.
func (e *encoder) value(v reflect.Value, depth int) error {
	if depth > e.o.depth() {
		return fmt.Errorf("%w: nested deeper than %d", ErrLimit, e.o.depth())
	}
	e.raw("<value>")
	if err := e.typed(v, depth); err != nil {
		return err
	}
	e.raw("</value>")
	return nil
}

func (e *encoder) typed(v reflect.Value, depth int) error {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
		if v.IsNil() {
			return e.null()
		}
		if r, ok := reflect.TypeAssert[io.Reader](v); ok {
			return e.base64(r)
		}
		v = v.Elem()
	}
	if !v.IsValid() {
		return e.null()
	}
	if t, ok := reflect.TypeAssert[time.Time](v); ok {
		return e.time(t)
	}
	if r, ok := reflect.TypeAssert[io.Reader](v); ok {
		return e.base64(r)
	}
	switch {
	case v.Kind() == reflect.Bool:
		e.raw("<boolean>" + map[bool]string{false: "0", true: "1"}[v.Bool()] + "</boolean>")
	case v.CanInt():
		return e.integer(v.Int())
	case v.CanUint():
		if v.Uint() > math.MaxInt64 {
			return fmt.Errorf("%w: the integer %d", ErrType, v.Uint())
		}
		return e.integer(int64(v.Uint()))
	case v.CanFloat():
		return e.double(v.Float())
	case v.Kind() == reflect.String:
		e.raw("<string>")
		err := e.chars(v.String())
		e.raw("</string>")
		return err
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		e.raw("<base64>" + base64.StdEncoding.EncodeToString(v.Bytes()) + "</base64>")
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		return e.array(v, depth)
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		return e.mapping(v, depth)
	case v.Kind() == reflect.Struct:
		return e.structure(v, depth)
	default:
		return fmt.Errorf("%w: XML-RPC has no %s", ErrType, v.Type())
	}
	return nil
}

func (e *encoder) null() error {
	if !e.o.Extensions {
		return fmt.Errorf("%w: nil is an extension (Options.Extensions)", ErrType)
	}
	e.raw("<nil/>")
	return nil
}

func (e *encoder) integer(n int64) error {
	name := "int"
	if n != int64(int32(n)) {
		if !e.o.Extensions {
			return fmt.Errorf("%w: the integer %d has more than 32 bits (Options.Extensions)", ErrType, n)
		}
		name = "i8"
	}
	e.raw("<" + name + ">" + strconv.FormatInt(n, 10) + "</" + name + ">")
	return nil
}

// double has no exponent, as the specification wants it.
func (e *encoder) double(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("%w: the double %v", ErrType, f)
	}
	e.raw("<double>" + strconv.FormatFloat(f, 'f', -1, 64) + "</double>")
	return nil
}

func (e *encoder) time(t time.Time) error {
	if y := t.Year(); y < 0 || y > 9999 {
		return fmt.Errorf("%w: the year %d", ErrType, y)
	}
	layout := "20060102T15:04:05"
	if e.o.Zones {
		layout += "-0700"
	}
	e.raw("<dateTime.iso8601>" + t.Format(layout) + "</dateTime.iso8601>")
	return nil
}

// base64 sends a stream.
func (e *encoder) base64(r io.Reader) error {
	e.raw("<base64>")
	out := base64.NewEncoder(base64.StdEncoding, e.w)
	if _, err := io.Copy(out, r); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	e.raw("</base64>")
	return nil
}

func (e *encoder) array(v reflect.Value, depth int) error {
	e.raw("<array><data>")
	for i := range v.Len() {
		if err := e.value(v.Index(i), depth+1); err != nil {
			return err
		}
	}
	e.raw("</data></array>")
	return nil
}

// mapping writes a map in the order of its keys.
func (e *encoder) mapping(v reflect.Value, depth int) error {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	e.raw("<struct>")
	for _, k := range keys {
		if err := e.member(k.String(), v.MapIndex(k), depth); err != nil {
			return err
		}
	}
	e.raw("</struct>")
	return nil
}

func (e *encoder) structure(v reflect.Value, depth int) error {
	if t, ok := reflect.TypeAssert[encoding.TextMarshaler](v); ok {
		text, err := t.MarshalText()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrType, err)
		}
		return e.typed(reflect.ValueOf(string(text)), depth)
	}
	e.raw("<struct>")
	for _, f := range fieldsOf(v.Type()) {
		fv := v.FieldByIndex(f.index)
		if f.omitEmpty && fv.IsZero() {
			continue
		}
		if isNil(fv) && !e.o.Extensions { // a member that is not there
			continue
		}
		if err := e.member(f.name, fv, depth); err != nil {
			return err
		}
	}
	e.raw("</struct>")
	return nil
}

// isNil tells a pointer or interface without a value. A nil slice or map is an
// empty one.
func isNil(v reflect.Value) bool {
	return (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil()
}

func (e *encoder) member(name string, v reflect.Value, depth int) error {
	e.raw("<member><name>")
	if err := e.chars(name); err != nil {
		return err
	}
	e.raw("</name>")
	if err := e.value(v, depth+1); err != nil {
		return fmt.Errorf("member %.40q: %w", name, err)
	}
	e.raw("</member>")
	return nil
}
