package message

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// shape writes addresses so that a table can hold them.
func shape(list []Address) string {
	var out []string
	for _, a := range list {
		if a.Group {
			out = append(out, fmt.Sprintf("%s:[%s]", a.Name, shape(a.Members)))
			continue
		}
		s := fmt.Sprintf("%s|%s|%s", a.Name, a.Local, a.Domain)
		if a.Route != "" {
			s += "|" + a.Route
		}
		out = append(out, s)
	}
	return strings.Join(out, " ; ")
}

func TestParseAddresses(t *testing.T) {
	good := []struct{ in, want string }{
		// RFC 5322 A.1.2, A.1.3, A.5, A.6.1
		{`"Joe Q. Public" <john.q.public@example.com>`, "Joe Q. Public|john.q.public|example.com"},
		{`Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>`, "Mary Smith|mary|x.test ; |jdoe|example.org ; Who?|one|y.test"},
		{`<boss@nil.test>, "Giant; \"Big\" Box" <sysservices@example.net>`, `|boss|nil.test ; Giant; "Big" Box|sysservices|example.net`},
		{`A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;`, "A Group:[Ed Jones|c|a.test ; |joe|where.test ; John|jdoe|one.test]"},
		{`Undisclosed recipients:;`, "Undisclosed recipients:[]"},
		{`Pete(A nice \) chap) <pete(his account)@silly.test(his host)>`, "Pete|pete|silly.test"},
		{"A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n joe@example.org,\r\n John <jdoe@one.test> (my dear friend); (the end of the group)",
			"A Group:[Chris Jones|c|public.example ; |joe|example.org ; John|jdoe|one.test]"},
		{`(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;`, "Hidden recipients:[]"},
		{`Joe Q. Public <john.q.public@example.com>`, "Joe Q. Public|john.q.public|example.com"},
		{`Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example`, "Mary Smith|mary|example.net|@node.test ; |jdoe|test.example"},
		{`<@a.test,@b.test:c@d.test>`, "|c|d.test|@a.test,@b.test"},
		// RFC 6532, and names by comment and by encoded word
		{`Jøran <jøran@blåbær.example>`, "Jøran|jøran|blåbær.example"},
		{`joe@example.org (Joe Bloggs)`, "Joe Bloggs|joe|example.org"},
		{`=?utf-8?Q?J=C3=B8ran?= <j@x.test>`, "Jøran|j|x.test"},
		{`"=?utf-8?Q?J=C3=B8ran?=" <j@x.test>`, "Jøran|j|x.test"},
		// literals, quoted local parts
		{`joe@[192.0.2.1], "a b"@x.test, "j"."d"@x.test`, "|joe|[192.0.2.1] ; |a b|x.test ; |j.d|x.test"},
		{`"Smith, John" <js@x.test>`, "Smith, John|js|x.test"},
		{``, ""},
		{`a@x.test; b@x.test`, "|a|x.test ; |b|x.test"}, // Outlook
	}
	for _, c := range good {
		list, err := ParseAddresses(c.in)
		if got := shape(list); got != c.want || err != nil {
			t.Errorf("%q:\n got %q, %v\nwant %q", c.in, got, err, c.want)
		}
	}
}

func TestParseAddressesThatAreNone(t *testing.T) {
	bad := []struct{ in, want string }{
		{`root`, "|root|"},
		{`<>`, "||"},
		{`john..doe@docomo.test`, "|john..doe|docomo.test"},
		{`<.joe.@x.test>`, "|.joe.|x.test"},
		{`joe@x.test <joe@x.test>`, "joe@x.test|joe|x.test"},
		{`Joe <joe@x.test`, "Joe|joe|x.test"},
		{`Joe <joe@x.test, Ann <ann@x.test>`, "Joe|joe|x.test ; Ann|ann|x.test"},
		{`"Joe <joe@x.test>`, "|Joe <joe@x.test>|"},
		{`<a@b@c.test>`, "|a@b|c.test"},
		{`Joe <joe> , ann@x.test`, "Joe|joe| ; |ann|x.test"},
		{`A: b@x.test`, "A:[|b|x.test]"},
		{`joe@`, "|joe|"},
		{`@x.test`, "||x.test"},
		{`joe@x.test ann`, "|joe|x.test"},
		{`Joe (unfinished <joe@x.test>`, "unfinished <joe@x.test>|Joe|"},
		{`>>>, ann@x.test`, "|ann|x.test"},
		{`Joe <joe@x.test> Ann <ann@x.test>, b@x.test`, "Joe|joe|x.test ; |b|x.test"},
	}
	for _, c := range bad {
		list, err := ParseAddresses(c.in)
		if got := shape(list); got != c.want || !errors.Is(err, ErrAddress) {
			t.Errorf("%q:\n got %q, %v\nwant %q and an error", c.in, got, err, c.want)
		}
	}
}

func TestParseAddress(t *testing.T) {
	if a, err := ParseAddress(`"Ann B." <ann@example.org> (at home)`); err != nil || a.String() != `"Ann B." <ann@example.org>` {
		t.Errorf("%v, %v", a, err)
	}
	for _, value := range []string{"", "a@b, c@d", "group: a@b;", "a@b c"} {
		if a, err := ParseAddress(value); !errors.Is(err, ErrAddress) {
			t.Errorf("%q: %v, %v", value, a, err)
		}
	}
}

func TestAddressAppend(t *testing.T) {
	for _, c := range []struct {
		in   Address
		want string
	}{
		{Address{Local: "joe", Domain: "x.test"}, "joe@x.test"},
		{Address{Name: "Joe Q. Public", Local: "joe", Domain: "x.test"}, `"Joe Q. Public" <joe@x.test>`},
		{Address{Name: "Joe Public", Local: "a b", Domain: "[192.0.2.1]"}, `Joe Public <"a b"@[192.0.2.1]>`},
		{Address{Name: "Jøran", Local: "j", Domain: "x.test"}, "=?utf-8?b?SsO4cmFu?= <j@x.test>"},
		{Address{Name: "=?x", Local: "j", Domain: "x.test"}, "=?utf-8?b?PT94?= <j@x.test>"},
		{Address{Name: "Us", Group: true, Members: []Address{{Local: "a", Domain: "b"}, {Local: "c", Domain: "d"}}}, "Us: a@b, c@d;"},
		{Address{Name: "Nobody", Group: true}, "Nobody:;"},
	} {
		got, err := c.in.Append(nil)
		if string(got) != c.want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, c.want)
			continue
		}
		again, err := ParseAddresses(string(got))
		if err != nil || shape(again) != shape([]Address{c.in}) {
			t.Errorf("%q read again is %q, %v", got, shape(again), err)
		}
	}
	for _, a := range []Address{
		{Local: "joe"}, {Domain: "x"}, {Local: "a", Domain: "b c"}, {Local: "a", Domain: "b>c"}, {Local: "a", Domain: "[1"},
		{Name: "A", Group: true, Members: []Address{{Group: true}}},
	} {
		if b, err := a.Append([]byte("x")); !errors.Is(err, ErrAddress) || string(b) != "x" {
			t.Errorf("%+v: %q, %v", a, b, err)
		}
	}
	for _, a := range []Address{
		{Name: "a\r\nBcc: x@y", Local: "a", Domain: "b"}, {Local: "a\n", Domain: "b"}, {Local: "a", Domain: "b\x00"},
	} {
		if _, err := a.Append(nil); !errors.Is(err, ErrBreak) {
			t.Errorf("%+v: %v, want ErrBreak", a, err)
		}
	}
}
