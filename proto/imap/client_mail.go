package imap

import (
	"slices"
	"strings"
)

// Noop has the server tell what is new.
func (c *Client) Noop() *Call[Status] { return c.Do("NOOP", nil, nil) }

// Search looks for messages; the numbers are UIDs where uids is true, else
// sequence numbers. All is filled in unless Return asks for other things alone;
// what an old server cannot count is counted here.
func (c *Client) Search(s Search, uids bool) *Call[ESearch] {
	want := s.Return
	if want != nil && !c.caps.Has("ESEARCH") && !c.caps.Has("IMAP4REV2") && !want.Save && want.Page == nil {
		s.Return = nil
	}
	if s.Charset == "" && !c.utf8() && s.Key.Uses(func(k *Key) bool { return !isASCII(k.Text) }) {
		s.Charset = "UTF-8"
	}
	x := c.begin(uid("SEARCH", uids), s.Append(c.style(), nil))
	x.seq = s.Key.Uses(func(k *Key) bool { return k.Name == "SET" && !k.Where.UID }) || !uids
	found := &ESearch{Count: -1}
	x.on = func(r Response) (bool, error) {
		switch r.Name {
		case "ESEARCH":
			e, err := ParseESearch(r.Rest)
			if e.Tag != "" && e.Tag != x.tag {
				return false, err
			}
			if err == nil {
				*found = e
			}
			return true, err
		case "SEARCH":
			f, err := ParseFound(r.Rest)
			slices.Sort(f.Numbers)
			for _, n := range f.Numbers {
				found.All.Add(n)
			}
			found.UID, found.ModSeq = uids, max(found.ModSeq, f.ModSeq)
			return true, err
		}
		return false, nil
	}
	x.end = func(Status) error {
		if want != nil && s.Return == nil {
			found.count(*want)
		}
		return nil
	}
	return &Call[ESearch]{c, x, found}
}

// count makes of All what was asked for.
func (e *ESearch) count(want Return) {
	if len(e.All) > 0 {
		e.Min, e.Max = e.All[0].First, e.All.Largest()
	}
	e.Count = int64(e.All.Count())
	if want == (Return{}) || want.All {
		return
	}
	e.All = nil
}

// Sort looks for messages and gives their numbers in an order (RFC 5256).
func (c *Client) Sort(s Sort, uids bool) *Call[[]uint32] {
	if s.Charset == "" {
		s.Charset = "UTF-8"
	}
	s.Return = nil // a set has no order
	x := c.begin(uid("SORT", uids), s.Append(c.style(), nil))
	x.seq = !uids || s.Key.Uses(func(k *Key) bool { return k.Name == "SET" && !k.Where.UID })
	all := new([]uint32)
	x.on = func(r Response) (bool, error) {
		if r.Name != "SORT" {
			return false, nil
		}
		f, err := ParseFound(r.Rest)
		*all = append(*all, f.Numbers...)
		return true, err
	}
	return &Call[[]uint32]{c, x, all}
}

// Thread looks for messages and tells which answer which (RFC 5256).
func (c *Client) Thread(t ThreadSearch, uids bool) *Call[[]Thread] {
	if t.Charset == "" {
		t.Charset = "UTF-8"
	}
	x := c.begin(uid("THREAD", uids), t.Append(c.style(), nil))
	x.seq = !uids || t.Key.Uses(func(k *Key) bool { return k.Name == "SET" && !k.Where.UID })
	all := new([]Thread)
	x.on = func(r Response) (bool, error) {
		if r.Name != "THREAD" {
			return false, nil
		}
		got, err := ParseThreads(r.Rest)
		*all = append(*all, got...)
		return true, err
	}
	return &Call[[]Thread]{c, x, all}
}

// FlagChanges is what became of a Store.
type FlagChanges struct {
	Messages []*Fetched // as they are now, unless Silent
	Modified Set        // left alone because of UnchangedSince
}

// Store changes flags.
func (c *Client) Store(s Store) *Call[FlagChanges] {
	x := c.begin(uid("STORE", s.Where.UID), s.Append(nil))
	x.seq = !s.Where.UID
	out := &FlagChanges{}
	x.fetch = c.collectTo(&out.Messages)
	x.end = func(st Status) (err error) {
		if st.Code.Name == "MODIFIED" {
			out.Modified, err = ParseSet(st.Code.Args)
		}
		return err
	}
	return &Call[FlagChanges]{c, x, out}
}

// Copy copies messages to the end of another mailbox, all or none. The result
// is zero where the server does not tell.
func (c *Client) Copy(w Where, to string) *Call[CopyUID] { return c.copy("COPY", w, to) }

// Move moves messages to the end of another mailbox (RFC 6851).
func (c *Client) Move(w Where, to string) *Call[CopyUID] { return c.copy("MOVE", w, to) }

func (c *Client) copy(verb string, w Where, to string) *Call[CopyUID] {
	x := c.begin(uid(verb, w.UID), writeName(c.style(), append(w.Append(nil), ' '), to))
	x.seq = !w.UID
	out := &CopyUID{}
	learn := func(s Status) (bool, error) {
		if s.Code.Name != "COPYUID" {
			return false, nil
		}
		got, err := ParseCopyUID(s.Code.Args)
		if err == nil {
			*out = got
		}
		return true, err
	}
	x.on = func(r Response) (bool, error) { // MOVE tells before what is expunged
		if r.Name != "OK" {
			return false, nil
		}
		s, err := r.Status()
		if err != nil {
			return false, err
		}
		return learn(s)
	}
	x.end = func(s Status) error {
		_, err := learn(s)
		return err
	}
	return &Call[CopyUID]{c, x, out}
}

// Expunge removes what is marked as deleted.
func (c *Client) Expunge() *Call[Status] { return c.Do("EXPUNGE", nil, nil) }

// ExpungeUIDs removes what is marked as deleted among these (RFC 4315).
func (c *Client) ExpungeUIDs(uids Set) *Call[Status] {
	return c.Do("UID EXPUNGE", uids.Append(nil), nil)
}

// ID tells the server who we are and asks who it is (RFC 2971).
func (c *Client) ID(fields []Param) *Call[[]Param] {
	x := c.begin("ID", AppendID(c.style(), nil, fields))
	out := new([]Param)
	x.on = func(r Response) (mine bool, err error) {
		if mine = r.Name == "ID"; mine {
			*out, err = ParseID(r.Rest)
		}
		return mine, err
	}
	return &Call[[]Param]{c, x, out}
}

// Enable puts extensions in force, as far as the server has them; Enabled tells
// which are (RFC 5161). No other command travels beside it.
func (c *Client) Enable(extensions ...string) *Call[Status] {
	return c.alone("ENABLE", []byte(strings.Join(extensions, " ")))
}

// Notify says what the server is to tell of at any time (RFC 5465), which
// Options.Untagged hears.
func (c *Client) Notify(n Notify) *Call[Status] {
	return c.alone("NOTIFY", n.Append(c.style(), nil))
}
