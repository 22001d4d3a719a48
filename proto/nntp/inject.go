package nntp

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/farend-go/farend/message"
)

// inject makes an article of a proto-article, as an injecting agent does
// (RFC 5537 section 3.5); what is refused is ErrNotWanted. Fields that are there
// stay as they are and where they are, but for Path, which tells from where it
// came.
func (h *Handler) inject(header message.Header, from string, p Peer, r Rights) (message.Header, error) {
	now := h.time()
	if err := message.CheckArticle(header, true); err != nil {
		return header, notAnArticle(err)
	}
	if _, approved := header.Lookup("Approved"); approved && !r.Approve {
		return header, refuse(errors.New("you may not approve articles"))
	}
	if err := notFuture(header, now); err != nil {
		return header, err
	}
	_, hasID := header.Lookup("Message-ID")
	_, hasDate := header.Lookup("Date")
	path := header.Get("Path")
	if path == "" {
		path = "not-for-mail"
	}
	var out message.Header
	add := func(name, value string) error { return out.Add(name, value) }
	err := add("Path", h.host()+"!.POSTED."+from+"!"+path)
	if !hasDate {
		err = errors.Join(err, add("Date", message.FormatDate(now)))
	}
	if !hasID {
		id, idErr := message.NewMessageID(h.host(), now)
		err = errors.Join(err, idErr, add("Message-ID", id))
	}
	for _, f := range header.Fields {
		if !strings.EqualFold(f.Name, "Path") {
			out.Fields = append(out.Fields, f)
		}
	}
	err = errors.Join(err, add("Injection-Info", fmt.Sprintf("%s; posting-host=%q; logging-data=\"%d\"", h.host(), from, p.Talk)))
	if !hasID || !hasDate { // section 3.5, step 11
		err = errors.Join(err, add("Injection-Date", message.FormatDate(now)))
	}
	if err != nil {
		return header, refuse(err)
	}
	return out, nil
}

// relay prepares an article that another server sends: its Path tells where it
// was (RFC 5537 sections 3.2.1 and 3.6).
func (h *Handler) relay(header message.Header, from, id string) (message.Header, error) {
	if err := message.CheckArticle(header, false); err != nil {
		return header, notAnArticle(err)
	}
	if got := header.Get("Message-ID"); got != id {
		return header, refuse(fmt.Errorf("its Message-ID is %.100q", got))
	}
	if err := notFuture(header, h.time()); err != nil {
		return header, err
	}
	path := header.Get("Path")
	if message.PathHas(path, h.host()) {
		return header, refuse(errors.New("it has been here, by its Path"))
	}
	out := message.Header{Fields: make([]message.Field, 0, len(header.Fields)+1)}
	if err := out.Add("Path", h.host()+"!.SEEN."+from+"!"+path); err != nil {
		return header, refuse(err)
	}
	for _, f := range header.Fields {
		if !strings.EqualFold(f.Name, "Path") && !strings.EqualFold(f.Name, "Xref") {
			out.Fields = append(out.Fields, f)
		}
	}
	return out, nil
}

// notFuture refuses what is from more than a day ahead (RFC 5537 section 3.5,
// step 3).
func notFuture(header message.Header, now time.Time) error {
	for _, name := range [...]string{"Date", "Injection-Date"} {
		f, ok := header.Lookup(name)
		if !ok {
			continue
		}
		if t, err := message.ParseDate(f.Value()); err == nil && t.After(now.Add(24*time.Hour)) {
			return refuse(fmt.Errorf("its %s is in the future", name))
		}
	}
	return nil
}

// refuse makes a reason of an error: what the client is told.
func refuse(err error) error { return &reason{err} }

// notAnArticle is refuse for what message.CheckArticle says.
func notAnArticle(err error) error {
	return refuse(errors.New(strings.TrimPrefix(err.Error(), message.ErrArticle.Error()+": ")))
}

type reason struct{ why error }

func (r *reason) Error() string        { return r.why.Error() }
func (r *reason) Unwrap() error        { return r.why }
func (r *reason) Is(target error) bool { return target == ErrNotWanted }
