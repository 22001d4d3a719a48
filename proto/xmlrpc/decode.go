package xmlrpc

import (
	"encoding"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Options are the limits of what comes in and the choices of what goes out.
// The zero value has the limits that are named.
type Options struct {
	Size    int64          // of a message, in bytes, decompressed; 0: 16 MiB
	Depth   int            // of values within values; 0: 64
	Members int            // values of a message, in all; 0: 100,000
	Ratio   int64          // by which compression may make a message smaller, above its first MiB; 0: 100
	Zone    *time.Location // of times that name none; nil: UTC

	// Extensions lets nil and integers beyond 32 bits be written, as <nil/> and
	// <i8>; without it they are errors (ErrType).
	Extensions bool
	// Zones writes a time's offset (20060102T15:04:05-0700); without it the
	// time is written as its own clock shows it, which is all that the
	// specification knows.
	Zones bool
}

func (o Options) size() int64 { return orElse(o.Size, 16<<20) }
func (o Options) depth() int  { return orElse(o.Depth, 64) }

func orElse[T int | int64](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// decoder reads values.
type decoder struct {
	*scanner
	o       Options
	members int
	buf     []byte
}

// newDecoder reads a message; label is the encoding that HTTP names.
func newDecoder(r io.Reader, label string, o Options) (*decoder, error) {
	// Three elements of XML make one level of values, and five stand around.
	s, err := newScanner(&limited{r, o.size()}, label, 3*o.depth()+5)
	if err != nil {
		return nil, err
	}
	return &decoder{scanner: s, o: o, members: orElse(o.Members, 100_000)}, nil
}

// limited is an io.LimitedReader that says so.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		if n, err := l.r.Read(p[:min(1, len(p))]); n == 0 {
			return 0, err
		}
		return 0, fmt.Errorf("%w: too many bytes", ErrLimit)
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// step goes to the next tag, over blanks.
func (d *decoder) step() error {
	for {
		if err := d.next(); err != nil || d.kind != text {
			return err
		}
		if strings.TrimLeft(string(d.text), " \t\n") != "" {
			return syntax("%.20q between elements", d.text)
		}
	}
}

// begin expects a start tag.
func (d *decoder) begin(names ...string) error {
	if err := d.step(); err != nil {
		return err
	}
	return d.is(startTag, names...)
}

// end expects the end of the element.
func (d *decoder) end(name string) error {
	if err := d.step(); err != nil {
		return err
	}
	return d.is(endTag, name)
}

func (d *decoder) is(kind token, names ...string) error {
	if d.kind == kind {
		if slices.Contains(names, d.name) {
			return nil
		}
	}
	got := map[token]string{startTag: "<" + d.name + ">", endTag: "</" + d.name + ">", endOfFile: "the end"}[d.kind]
	want := map[token]string{startTag: "<", endTag: "</"}[kind] + names[0] + ">"
	return syntax("%s where %s is expected", got, want)
}

// content takes the text of the element that is open, to its end.
func (d *decoder) content(most int) (string, error) {
	name := d.name
	d.buf = d.buf[:0]
	for {
		if err := d.next(); err != nil {
			return "", err
		}
		switch {
		case d.kind == endTag:
			return string(d.buf), nil
		case d.kind != text:
			return "", syntax("<%s> within <%s>", d.name, name)
		}
		if d.buf = append(d.buf, d.text...); len(d.buf) > most {
			return "", fmt.Errorf("%w: the text of <%s>", ErrLimit, name)
		}
	}
}

// value reads what follows <value>, its end tag included, into to, which may
// be settable or not valid: then it is passed over.
func (d *decoder) value(to reflect.Value) error {
	if d.members--; d.members < 0 {
		return fmt.Errorf("%w: too many values", ErrLimit)
	}
	d.buf = d.buf[:0]
	for {
		if err := d.next(); err != nil {
			return err
		}
		switch d.kind {
		case text: // blanks before an element, or a string without one
			if d.buf = append(d.buf, d.text...); int64(len(d.buf)) > d.o.size() {
				return fmt.Errorf("%w: a string", ErrLimit)
			}
			continue
		case endTag:
			return d.setString(to, string(d.buf))
		}
		if strings.TrimLeft(string(d.buf), " \t\n") != "" {
			return syntax("text beside <%s>", d.name)
		}
		if err := d.typed(to); err != nil {
			return err
		}
		return d.end("value")
	}
}

// typed reads the element that has begun.
func (d *decoder) typed(to reflect.Value) error {
	kind := d.name
	if _, local, ok := strings.Cut(kind, ":"); ok {
		kind = local
	}
	switch kind {
	case "string":
		s, err := d.content(int(d.o.size()))
		if err != nil {
			return err
		}
		return d.setString(to, s)
	case "int", "i1", "i2", "i4", "i8", "boolean", "double", "float", "biginteger", "bigdecimal", "dateTime.iso8601", "dateTime":
		s, err := d.content(256)
		if err != nil {
			return err
		}
		return d.scalar(to, kind, s)
	case "base64":
		return d.base64(to)
	case "nil":
		if s, err := d.content(64); err != nil || strings.TrimSpace(s) != "" {
			return errors.Join(err, syntax("<nil> is not empty"))
		}
		return setNil(to)
	case "array":
		return d.array(to)
	case "struct":
		return d.structure(to)
	}
	return syntax("a value of type <%s>", d.name)
}

// misfit is a value of one kind where another belongs.
func misfit(kind string, to reflect.Value) error {
	return fmt.Errorf("%w: %s into %s", ErrType, kind, to.Type())
}

// target makes pointers as they are needed, and gives what is behind them and,
// for an interface that takes anything, a place for the usual type.
func target(to reflect.Value) reflect.Value {
	for to.IsValid() && to.Kind() == reflect.Pointer {
		if to.IsNil() {
			to.Set(reflect.New(to.Type().Elem()))
		}
		to = to.Elem()
	}
	return to
}

func isAny(to reflect.Value) bool { return to.Kind() == reflect.Interface && to.NumMethod() == 0 }

func (d *decoder) setString(to reflect.Value, s string) error {
	to = target(to)
	switch {
	case !to.IsValid():
	case isAny(to):
		to.Set(reflect.ValueOf(s))
	case to.Kind() == reflect.String:
		to.SetString(s)
	default:
		if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](to.Addr()); ok && to.Type() != timeType {
			if err := u.UnmarshalText([]byte(s)); err != nil {
				return fmt.Errorf("%w: %w", ErrType, err)
			}
			return nil
		}
		return misfit("string", to)
	}
	return nil
}

func setNil(to reflect.Value) error {
	if !to.IsValid() {
		return nil
	}
	switch to.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
		to.SetZero()
		return nil
	}
	return misfit("nil", to)
}

var timeType = reflect.TypeFor[time.Time]()

// scalar sets a value whose text is short.
func (d *decoder) scalar(to reflect.Value, kind, s string) error {
	s = strings.Trim(s, " \t\n")
	to = target(to)
	switch kind {
	case "boolean":
		if s != "0" && s != "1" {
			return syntax("boolean %.20q", s)
		}
		return set(to, kind, s == "1", func() bool { return to.Kind() == reflect.Bool }, func() { to.SetBool(s == "1") })
	case "double", "float":
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || strings.ContainsAny(s, "xX_pP") {
			return syntax("double %.40q", s)
		}
		return set(to, kind, f, func() bool { return to.CanFloat() && !to.OverflowFloat(f) }, func() { to.SetFloat(f) })
	case "dateTime.iso8601", "dateTime":
		t, err := parseTime(s, d.o.Zone)
		if err != nil {
			return err
		}
		return set(to, kind, t, func() bool { return to.Type() == timeType }, func() { to.Set(reflect.ValueOf(t)) })
	case "biginteger", "bigdecimal": // Apache's, as they are written
		return d.setString(to, s)
	}
	n, err := strconv.ParseInt(s, 10, integerBits(kind))
	if err != nil {
		return syntax("%s %.40q", kind, s)
	}
	if to.IsValid() && to.CanUint() {
		return set(to, kind, n, func() bool { return n >= 0 && !to.OverflowUint(uint64(n)) }, func() { to.SetUint(uint64(n)) })
	}
	if to.IsValid() && to.CanFloat() { // servers write whole doubles as integers
		return set(to, kind, n, func() bool { return true }, func() { to.SetFloat(float64(n)) })
	}
	if int64(int(n)) != n && to.IsValid() && isAny(to) {
		to.Set(reflect.ValueOf(n))
		return nil
	}
	return set(to, kind, int(n), func() bool { return to.CanInt() && !to.OverflowInt(n) }, func() { to.SetInt(n) })
}

func integerBits(kind string) int {
	switch kind {
	case "i1":
		return 8
	case "i2":
		return 16
	case "i8":
		return 64
	}
	return 32
}

// set stores v into an interface, or by put where it fits.
func set(to reflect.Value, kind string, v any, fits func() bool, put func()) error {
	switch {
	case !to.IsValid():
	case isAny(to):
		to.Set(reflect.ValueOf(v))
	case !fits():
		return misfit(kind, to)
	default:
		put()
	}
	return nil
}

// parseTime takes the forms that are about: 19980717T14:08:55, with dashes,
// with fractions, with a zone.
func parseTime(s string, zone *time.Location) (time.Time, error) {
	if zone == nil {
		zone = time.UTC
	}
	for _, date := range []string{"20060102", "2006-01-02"} {
		for _, clock := range []string{"T15:04:05", "T150405"} {
			for _, offset := range []string{"", "Z0700", "Z07:00"} {
				if t, err := time.ParseInLocation(date+clock+offset, s, zone); err == nil {
					return t, nil
				}
			}
		}
	}
	return time.Time{}, syntax("dateTime %.40q", s)
}

// base64 decodes as the text comes: into a writer without keeping it.
func (d *decoder) base64(to reflect.Value) error {
	in := base64.NewDecoder(base64.StdEncoding, &textReader{d: d})
	for v := to; v.IsValid() && (v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer) && !v.IsNil(); v = v.Elem() {
		if w, ok := reflect.TypeAssert[io.Writer](v); ok {
			_, err := io.Copy(w, in)
			return base64Error(err)
		}
	}
	b, err := io.ReadAll(in)
	if err != nil {
		return base64Error(err)
	}
	to = target(to)
	return set(to, "base64", b, func() bool {
		return to.Kind() == reflect.Slice && to.Type().Elem().Kind() == reflect.Uint8
	}, func() { to.SetBytes(b) })
}

func base64Error(err error) error {
	if _, ok := errors.AsType[base64.CorruptInputError](err); ok || errors.Is(err, io.ErrUnexpectedEOF) {
		return syntax("base64")
	}
	return err
}

// textReader is the text of an element, without blanks, to its end.
type textReader struct {
	d    *decoder
	left []byte
	done bool
}

func (r *textReader) Read(p []byte) (int, error) {
	for len(r.left) == 0 {
		if r.done {
			return 0, io.EOF
		}
		if err := r.d.next(); err != nil {
			return 0, err
		}
		switch r.d.kind {
		case endTag:
			r.done = true
		case text:
			r.left = dropBlanks(r.d.text)
		default:
			return 0, syntax("<%s> within <base64>", r.d.name)
		}
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

func dropBlanks(b []byte) []byte {
	kept := b[:0]
	for _, c := range b {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			kept = append(kept, c)
		}
	}
	return kept
}

// array reads <data> and its values.
func (d *decoder) array(to reflect.Value) error {
	if err := d.begin("data"); err != nil {
		return err
	}
	to = target(to)
	place, store := to, func() {}
	switch {
	case !to.IsValid():
	case isAny(to):
		place = reflect.New(reflect.TypeFor[[]any]()).Elem()
		store = func() { to.Set(place) }
	case to.Kind() != reflect.Slice && to.Kind() != reflect.Array:
		return misfit("array", to)
	}
	if place.IsValid() && place.Kind() == reflect.Slice {
		place.Set(reflect.MakeSlice(place.Type(), 0, 0))
	}
	for n := 0; ; n++ {
		if err := d.step(); err != nil {
			return err
		}
		if d.kind == endTag {
			if place.IsValid() && place.Kind() == reflect.Array && n != place.Len() {
				return misfit(strconv.Itoa(n)+" elements", place)
			}
			store()
			return d.end("array")
		}
		if err := d.is(startTag, "value"); err != nil {
			return err
		}
		var element reflect.Value
		switch {
		case !place.IsValid():
		case place.Kind() == reflect.Slice:
			place.Grow(1)
			place.SetLen(n + 1)
			element = place.Index(n)
			element.SetZero()
		case n < place.Len():
			element = place.Index(n)
		}
		if err := d.value(element); err != nil {
			return err
		}
	}
}

// structure reads members; those that to has no place for are passed over.
func (d *decoder) structure(to reflect.Value) error {
	to = target(to)
	place, store := to, func() {}
	switch {
	case !to.IsValid():
	case isAny(to):
		place = reflect.New(reflect.TypeFor[map[string]any]()).Elem()
		store = func() { to.Set(place) }
	case to.Kind() == reflect.Map && to.Type().Key().Kind() == reflect.String:
	case to.Kind() != reflect.Struct || to.Type() == timeType:
		return misfit("struct", to)
	}
	if place.IsValid() && place.Kind() == reflect.Map {
		place.Set(reflect.MakeMap(place.Type()))
	}
	for {
		if err := d.step(); err != nil {
			return err
		}
		if d.kind == endTag {
			store()
			return nil
		}
		if err := d.member(place); err != nil {
			return err
		}
	}
}

func (d *decoder) member(place reflect.Value) error {
	if err := d.is(startTag, "member"); err != nil {
		return err
	}
	if err := d.begin("name"); err != nil {
		return err
	}
	name, err := d.content(1 << 16)
	if err != nil {
		return err
	}
	if err := d.begin("value"); err != nil {
		return err
	}
	switch {
	case !place.IsValid():
		err = d.value(reflect.Value{})
	case place.Kind() == reflect.Map:
		element := reflect.New(place.Type().Elem()).Elem()
		if err = d.value(element); err == nil {
			place.SetMapIndex(reflect.ValueOf(name).Convert(place.Type().Key()), element)
		}
	default:
		err = d.value(fieldNamed(place, name))
	}
	if err != nil {
		return fmt.Errorf("member %.40q: %w", name, err)
	}
	return d.end("member")
}

// fieldNamed is the field that the tag, or failing that the name, says.
func fieldNamed(of reflect.Value, name string) reflect.Value {
	for _, f := range fieldsOf(of.Type()) {
		if f.name == name {
			return of.FieldByIndex(f.index)
		}
	}
	return reflect.Value{}
}
