package xmlrpc

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The specification's own messages.
const (
	specCall = `<?xml version="1.0"?>
<methodCall>
   <methodName>examples.getStateName</methodName>
   <params>
      <param>
         <value><i4>41</i4></value>
         </param>
      </params>
   </methodCall>`
	specResponse = `<?xml version="1.0"?>
<methodResponse>
   <params>
      <param>
         <value><string>South Dakota</string></value>
         </param>
      </params>
   </methodResponse>`
	specFault = `<?xml version="1.0"?>
<methodResponse>
   <fault>
      <value>
         <struct>
            <member>
               <name>faultCode</name>
               <value><int>4</int></value>
               </member>
            <member>
               <name>faultString</name>
               <value><string>Too many parameters.</string></value>
               </member>
            </struct>
         </value>
      </fault>
   </methodResponse>`
)

func TestSpecification(t *testing.T) {
	method, args, err := DecodeCall(strings.NewReader(specCall), Options{})
	if err != nil || method != "examples.getStateName" || !reflect.DeepEqual(args, []any{41}) {
		t.Errorf("%q %v %v", method, args, err)
	}
	var state string
	if err := DecodeResponse(strings.NewReader(specResponse), &state, Options{}); err != nil || state != "South Dakota" {
		t.Errorf("%q %v", state, err)
	}
	var fault *Fault
	err = DecodeResponse(strings.NewReader(specFault), &state, Options{})
	if !errors.As(err, &fault) || *fault != (Fault{4, "Too many parameters."}) {
		t.Errorf("%v", err)
	}
}

// value decodes one value as an answer.
func value(t *testing.T, inner string, to any, o Options) error {
	t.Helper()
	return DecodeResponse(strings.NewReader("<methodResponse><params><param><value>"+inner+"</value></param></params></methodResponse>"), to, o)
}

func TestValues(t *testing.T) {
	when := time.Date(1998, 7, 17, 14, 8, 55, 0, time.UTC)
	for in, want := range map[string]any{
		"<i4>-12</i4>":                          -12,
		"<int> +7\n</int>":                      7,
		"<i8>9007199254740993</i8>":             9007199254740993,
		"<ex:i8>5</ex:i8>":                      5,
		"<ex:i1>-128</ex:i1>":                   -128,
		"<boolean>1</boolean>":                  true,
		"<boolean>0</boolean>":                  false,
		"<double>-12.214</double>":              -12.214,
		"<ex:float>.5</ex:float>":               .5,
		"<string>a &lt; b &amp;&#x41;</string>": "a < b &A",
		"<string/>":                             "",
		"":                                      "",
		"plain":                                 "plain",
		"  two words ":                          "  two words ",
		"<string>  kept \r\n here</string>":     "  kept \n here",
		"<string>x<![CDATA[<&]]>y</string>":     "x<&y",
		"<string>a<!-- not --->b</string>":      "ab",
		"<string>한국어</string>":                  "한국어",
		"<dateTime.iso8601>19980717T14:08:55</dateTime.iso8601>":      when,
		"<dateTime.iso8601>1998-07-17T14:08:55</dateTime.iso8601>":    when,
		"<dateTime.iso8601>19980717T14:08:55Z</dateTime.iso8601>":     when,
		"<ex:dateTime>1998-07-17T14:08:55.000Z</ex:dateTime>":         when,
		"<dateTime.iso8601>19980717T16:08:55+0200</dateTime.iso8601>": when,
		"<base64>eW91IGNhbid0\nIHJlYWQgdGhpcyE=</base64>":             []byte("you can't read this!"),
		"<base64></base64>":      []byte{},
		"<nil/>":                 nil,
		"<ex:nil></ex:nil>":      nil,
		"<array><data/></array>": []any{},
		"<array><data><value><i4>1</i4></value><value>x</value></data></array>": []any{1, "x"},
		"<struct></struct>": map[string]any{},
		"<struct><member><name>a</name><value><i4>1</i4></value></member></struct>": map[string]any{"a": 1},
		"<ex:bigdecimal>1.25</ex:bigdecimal>":                                       "1.25",
	} {
		var got any = "untouched"
		if err := value(t, in, &got, Options{}); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if w, ok := want.(time.Time); ok {
			if g, ok := got.(time.Time); !ok || !g.Equal(w) {
				t.Errorf("%s: %v", in, got)
			}
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, want %#v", in, got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	deep := strings.Repeat("<array><data><value>", 70) + strings.Repeat("</value></data></array>", 70)
	for in, want := range map[string]error{
		"<i4>1</i4><i4>2</i4>":                           ErrSyntax,
		"<i4>2147483648</i4>":                            ErrSyntax,
		"<i4>1 2</i4>":                                   ErrSyntax,
		"<i4></i4>":                                      ErrSyntax,
		"x<i4>1</i4>":                                    ErrSyntax,
		"<boolean>true</boolean>":                        ErrSyntax,
		"<double>0x1p-2</double>":                        ErrSyntax,
		"<string>&nbsp;</string>":                        ErrSyntax,
		"<string>&#0;</string>":                          ErrSyntax,
		"<string>&#xd800;</string>":                      ErrSyntax,
		"<string>\x01</string>":                          ErrSyntax,
		"<string>\xff</string>":                          ErrSyntax,
		"<string><b>x</b></string>":                      ErrSyntax,
		"<dateTime.iso8601>yesterday</dateTime.iso8601>": ErrSyntax,
		"<base64>!</base64>":                             ErrSyntax,
		"<base64>QQ</base64>":                            ErrSyntax,
		"<colour>red</colour>":                           ErrSyntax,
		"<array><value/></array>":                        ErrSyntax,
		"<struct><member><value/></member></struct>":     ErrSyntax,
		"<i4>1</i5>":                                     ErrSyntax,
		"<nil>x</nil>":                                   ErrSyntax,
		deep:                                             ErrLimit,
		"<string>" + strings.Repeat("x", 2000) + "</string>":                 ErrLimit,
		"<array><data>" + strings.Repeat("<value/>", 60) + "</data></array>": ErrLimit,
	} {
		var got any
		if err := value(t, in, &got, Options{Size: 1500, Members: 50}); !errors.Is(err, want) {
			if errors.Is(want, ErrLimit) && errors.Is(err, ErrLimit) {
				continue
			}
			t.Errorf("%.60s: %v", in, err)
		}
	}
	for _, in := range []string{
		"", "<", "<a", "hello", "<methodCall/>", "<methodResponse/>x", specResponse[:len(specResponse)-3], specResponse + "<more/>",
		`<!DOCTYPE x [<!ENTITY a "b">]>` + specResponse, "<?xml version=\"1.0\" encoding=\"ebcdic-x\"?><methodResponse/>",
		"<methodResponse><params></params></methodResponse>",
	} {
		if err := DecodeResponse(strings.NewReader(in), nil, Options{}); !errors.Is(err, ErrSyntax) {
			t.Errorf("%.40q: %v", in, err)
		}
	}
}

// Cut anywhere, a message is an error, never half a value.
func TestCutAtEveryByte(t *testing.T) {
	for _, whole := range []string{specCall, strings.ReplaceAll(specCall, "\n", "\r\n")} {
		for i := range len(whole) {
			if _, _, err := DecodeCall(strings.NewReader(whole[:i]), Options{}); !errors.Is(err, ErrSyntax) {
				t.Fatalf("cut at %d: %v", i, err)
			}
		}
	}
	for i := range len(specFault) {
		if err := DecodeResponse(strings.NewReader(specFault[:i]), nil, Options{}); !errors.Is(err, ErrSyntax) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}

func TestEncodings(t *testing.T) {
	body := "<methodResponse><params><param><value>grüße</value></param></params></methodResponse>"
	latin := strings.NewReplacer("ü", "\xfc", "ß", "\xdf").Replace(body)
	var wide []byte
	wide = append(wide, 0xfe, 0xff)
	for _, r := range body {
		wide = append(wide, byte(r>>8), byte(r))
	}
	for _, in := range []string{
		body, "\xef\xbb\xbf" + body, `<?xml version="1.0" encoding="UTF-8"?>` + body,
		`<?xml version='1.0' encoding='iso-8859-1'?>` + latin, string(wide),
	} {
		var got string
		if err := DecodeResponse(strings.NewReader(in), &got, Options{}); err != nil || got != "grüße" {
			t.Errorf("%.30q: %q %v", in, got, err)
		}
	}
}

type inner struct {
	Deep string `xmlrpc:"deep"`
}

type record struct {
	inner
	Name   string         `xmlrpc:"name"`
	Age    uint8          `xmlrpc:"age,omitempty"`
	Score  float32        `xmlrpc:"score"`
	When   time.Time      `xmlrpc:"when"`
	Blob   []byte         `xmlrpc:"blob"`
	Tags   []string       `xmlrpc:"tags"`
	Pair   [2]int         `xmlrpc:"pair"`
	Extra  map[string]any `xmlrpc:"extra"`
	Next   *record        `xmlrpc:"next"`
	Hidden string         `xmlrpc:"-"`
	Any    any
}

func TestStructsThereAndBack(t *testing.T) {
	in := record{
		inner: inner{"down"}, Name: "n<&>\r\n", Age: 200, Score: 1.5, When: time.Date(2026, 11, 21, 1, 2, 3, 0, time.UTC),
		Blob: []byte{0, 255}, Tags: []string{"a", ""}, Pair: [2]int{1, -2}, Extra: map[string]any{"k": 1, "l": []any{true}},
		Next: &record{Name: "second", When: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), Blob: []byte{}, Tags: []string{}, Extra: map[string]any{}}, Hidden: "not sent", Any: "any",
	}
	var b bytes.Buffer
	if err := EncodeResponse(&b, in, nil, Options{}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "not sent") || strings.Contains(b.String(), "<nil") {
		t.Errorf("sent: %s", b.String())
	}
	var out record
	if err := DecodeResponse(&b, &out, Options{}); err != nil {
		t.Fatal(err)
	}
	in.Hidden = ""
	if !reflect.DeepEqual(in, out) {
		t.Errorf("sent %+v, got %+v", in, out)
	}
}

func TestMisfits(t *testing.T) {
	for in, to := range map[string]any{
		"<i4>300</i4>":           new(int8),
		"<i4>-1</i4>":            new(uint),
		"<string>1</string>":     new(int),
		"<i4>1</i4>":             new(string),
		"<boolean>1</boolean>":   new(int),
		"<double>1e300</double>": new(float32),
		"<nil/>":                 new(int),
		"<struct></struct>":      new([]int),
		"<array><data/></array>": new(map[string]int),
		"<base64></base64>":      new(string),
		"<array><data><value><i4>1</i4></value></data></array>":  new([2]int),
		"<dateTime.iso8601>19980717T14:08:55</dateTime.iso8601>": new(string),
	} {
		if err := value(t, in, to, Options{}); !errors.Is(err, ErrType) {
			t.Errorf("%s into %T: %v", in, to, err)
		}
	}
	for _, v := range []any{
		make(chan int), func() {}, complex(1, 1), map[int]string{}, nil, int64(1) << 40, uint64(math.MaxUint64),
		math.NaN(), math.Inf(1), "\x00", "\xff", "\ufffe", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), struct{ C chan int }{make(chan int)},
	} {
		if err := EncodeResponse(&bytes.Buffer{}, v, nil, Options{}); !errors.Is(err, ErrType) {
			t.Errorf("%v: %v", v, err)
		}
	}
	for _, name := range []string{"", "a b", "a\n", "<", "é", strings.Repeat("a", 256)} {
		if err := EncodeCall(&bytes.Buffer{}, name, nil, Options{}); !errors.Is(err, ErrType) {
			t.Errorf("method %q: %v", name, err)
		}
	}
	cycle := []any{nil}
	cycle[0] = cycle
	if err := EncodeResponse(&bytes.Buffer{}, cycle, nil, Options{}); !errors.Is(err, ErrLimit) {
		t.Errorf("a cycle: %v", err)
	}
}

func TestExtensions(t *testing.T) {
	o := Options{Extensions: true, Zones: true}
	var b bytes.Buffer
	in := map[string]any{"none": nil, "big": 1 << 40, "when": time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))}
	if err := EncodeResponse(&b, in, nil, o); err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := DecodeResponse(&b, &out, Options{}); err != nil {
		t.Fatal(err)
	}
	if v, there := out["none"]; v != nil || !there || out["big"] != 1<<40 || !out["when"].(time.Time).Equal(in["when"].(time.Time)) {
		t.Errorf("%v", out)
	}
}

// A large body passes through without being kept.
func TestStreams(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789"), 100_000)
	var b bytes.Buffer
	if err := EncodeResponse(&b, bytes.NewReader(big), nil, Options{}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := DecodeResponse(&b, &out, Options{}); err != nil || !bytes.Equal(out.Bytes(), big) {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{specCall, specResponse, specFault} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		o := Options{Size: 1 << 16, Depth: 8, Members: 100, Extensions: true, Zones: true}
		var v any
		if err := DecodeResponse(bytes.NewReader(in), &v, o); err == nil {
			again(t, v, o)
		}
		method, args, err := DecodeCall(bytes.NewReader(in), o)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := EncodeCall(&b, method, args, o); err != nil {
			t.Fatalf("%q %v: %v", method, args, err)
		}
		o.Size = 0
		m2, a2, err := DecodeCall(&b, o)
		if err != nil || m2 != method || len(a2) != len(args) {
			t.Fatalf("%q %v became %q %v: %v", method, args, m2, a2, err)
		}
	})
}

// again sends what was read and reads it once more.
func again(t *testing.T, v any, o Options) {
	var b bytes.Buffer
	if err := EncodeResponse(&b, v, nil, o); err != nil {
		t.Fatalf("%#v: %v", v, err)
	}
	o.Size = 0
	var w any
	if err := DecodeResponse(&b, &w, o); err != nil {
		t.Fatalf("%#v: %v", v, err)
	}
	var c, d bytes.Buffer
	if err := errors.Join(EncodeResponse(&c, v, nil, o), EncodeResponse(&d, w, nil, o)); err != nil || !bytes.Equal(c.Bytes(), d.Bytes()) {
		t.Fatalf("%#v became %#v: %v", v, w, err)
	}
}
