package app

import (
	"context"
	"errors"
	"os"

	"github.com/farend-go/farend/keep/news"
	"github.com/farend-go/farend/message"
	"github.com/farend-go/farend/newsgroup"
	"github.com/farend-go/farend/proto/nntp"
	"github.com/farend-go/farend/server"
)

// newsServices are those over the newsgroups.
func newsServices() []Service {
	var out []Service
	for i, p := range nntp.Protocols() {
		s := Service{Protocol: p, Serve: []int{1119, 1563}[i], Keeps: true, Logins: true, UsesTLS: true, TLS: i == 1, Replies: true}
		s.Try = []string{"farend get %s/local.test", "farend get --cacert CA_FILE %s/local.test"}[i]
		s.Stream = func(a *App, at Address) server.Handler { return a.nntpHandler(s) }
		out = append(out, s)
	}
	return out
}

// usualGroup is there where no group is asked for.
const usualGroup = "local.test"

// maxArticle is how large an article may be, in bytes.
const maxArticle = 64 << 20

// openNews makes the newsgroups. Those that were made before stay.
func (a *App) openNews() error {
	kept, err := a.kept()
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil || !message.ValidNewsID("<1@"+host+">") {
		host = "localhost"
	}
	a.newsHost = host
	a.news = newsgroup.New(kept, newsgroup.Options{Host: host, MaxArticle: maxArticle, Overview: []string{"Newsgroups"}})
	names := a.cfg.Groups
	if len(names) == 0 {
		names = []string{usualGroup}
	}
	for _, name := range names {
		err := a.news.Create(context.Background(), newsgroup.NewGroup{Name: name, Creator: "farend"})
		switch {
		case errors.Is(err, newsgroup.ErrName):
			return badConfig("group %q: not a name for a newsgroup: want words with dots between them, as in local.test", name)
		case err != nil && !errors.Is(err, newsgroup.ErrExists):
			return err
		}
	}
	return nil
}

// nntpHandler is that of a listener.
func (a *App) nntpHandler(s Service) *nntp.Handler {
	open := len(a.cfg.Users) == 0
	h := &nntp.Handler{
		Backend: &news.Backend{Store: a.news, Log: a.log()}, Auth: a.logins, TLS: a.certs.config, Host: a.newsHost,
		Welcome: "farend's NNTP server is ready", Log: a.log(),
		Access: func(p nntp.Peer) nntp.Rights {
			may := open || p.User != ""
			return nntp.Rights{Read: true, Post: may, Feed: may, Approve: may}
		},
	}
	h.Answer = a.faults.Answers(s.Name)
	return h
}
