package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/conv/faults"
	"github.com/farend-go/farend/proto/imap/imaptest"
	"github.com/farend-go/farend/proto/pop3/pop3test"
	"github.com/farend-go/farend/proto/smtp/smtptest"
)

const letter = "From: ann@a.test\nTo: bob@b.test\nSubject: =?utf-8?Q?caf=C3=A9?=\n\nhello\n"

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func TestGetMail(t *testing.T) {
	box, drop := imaptest.New(t, imaptest.Options{Messages: []string{letter}}), pop3test.New(t, pop3test.Options{Messages: []string{letter}})
	imap := "imap://" + imaptest.User + ":" + imaptest.Password + "@" + box.Addr
	pop := "pop://" + pop3test.User + ":" + pop3test.Password + "@" + drop.Addr
	dir := t.TempDir()
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{imap + "/", "INBOX\n", 0},
		{imap + "/INBOX", "1 café\n", 0},
		{imap + "/INBOX?SUBJECT%20%22caf%C3%A9%22", "1\n", 0},
		{imap + "/INBOX;UID=1", crlf(letter), 0},
		{imap + "/INBOX;UID=1;SECTION=TEXT", "hello\r\n", 0},
		{"-u " + imaptest.User + ":" + imaptest.Password + " imap://" + box.Addr + "/INBOX", "1 café\n", 0},
		{"-u " + imaptest.User + ":x imap://" + box.Addr + "/INBOX", "", 67},
		{"imap://" + box.Addr + "/INBOX", "", 67},
		{imap + "/INBOX;UID=2", "", 78},
		{imap + "/missing", "", 78},
		{imap + "/INBOX?NONSENSE", "", 2},
		{"--ssl-reqd " + imap + "/INBOX", "", 60},
		{"-k --ssl-reqd " + imap + "/INBOX", "1 café\n", 0},
		{pop + "/", fmt.Sprintf("1 %d\n", len(crlf(letter))), 0},
		{strings.Replace(pop, "pop:", "pop3:", 1) + "/1", crlf(letter), 0},
		{pop + "/2", "", 78},
		{"-k --ssl-reqd " + pop + "/1", crlf(letter), 0},
		{"-u nobody:x pop://" + drop.Addr + "/", "", 67},
		{"smtp://" + box.Addr + "/", "", 2},
	} {
		code, out, said := mainOf(t, append([]string{"get", "--retry", "0"}, strings.Fields(c.args)...)...)
		if code != c.code || out != c.want || c.code != 0 && (!strings.HasPrefix(said, "farend: get ") || strings.Count(said, "\n") != 1) {
			t.Errorf("%s: status %d (want %d), %q, %q", c.args, code, c.code, out, said)
		}
	}
	file := filepath.Join(dir, "m.eml")
	got(t, "-o", file, imap+"/INBOX;UID=1")
	wrote(t, file, crlf(letter))
}

func TestPutMail(t *testing.T) {
	post, box := smtptest.New(t), imaptest.New(t, imaptest.Options{})
	file := filepath.Join(sources(t, map[string]string{"m.eml": letter}), "m.eml")
	smtp, imap := "smtp://"+post.Addr+"/", "imap://"+imaptest.User+":"+imaptest.Password+"@"+box.Addr
	for _, c := range []struct {
		stdin, args string
		code        int
	}{
		{"", file + " " + smtp, 0},
		{"", "--from x@a.test --to y@b.test --to z@b.test " + file + " " + smtp, 0},
		{letter, "- " + smtp, 0},
		{"", "-k --ssl-reqd -u " + smtptest.User + ":" + smtptest.Password + " " + file + " " + smtp, 0},
		{"", "-u " + smtptest.User + ":wrong " + file + " " + smtp, 67},
		{"", "--ssl-reqd " + file + " " + smtp, 60},
		{"", "--to no\taddress " + file + " " + smtp, 2},
		{"no header", "- " + smtp, 25},
		{"", file + " " + imap + "/INBOX", 0},
		{letter, "- " + imap + "/INBOX", 0},
		{"", file + " " + imap + "/missing", 25},
		{"", file + " " + imap + "/", 2},
		{"", file + " " + imap + "/INBOX;UID=1", 2},
		{"", file + " " + file + " " + imap + "/INBOX", 0},
		{"", file + " imap://nobody:x@" + box.Addr + "/INBOX", 67},
		{"", filepath.Join(t.TempDir(), "none") + " " + imap + "/INBOX", 26},
		{"", "-C - " + file + " " + imap + "/INBOX", 36},
		{"", file + " pop://" + box.Addr + "/", 2},
	} {
		code, said := put(t, c.stdin, append([]string{"--retry", "0"}, strings.Split(c.args, " ")...)...)
		if code != c.code || c.code != 0 && (!strings.HasPrefix(said, "farend: put ") || strings.Count(said, "\n") != 1) {
			t.Errorf("put %s: status %d (want %d), %q", c.args, code, c.code, said)
		}
	}
	if all := box.Wait(t.Context(), "INBOX", 4); len(all) != 4 || all[3] != crlf(letter) {
		t.Errorf("%q", all)
	}
	sent, err := post.Wait(t.Context(), 4)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range sent {
		from := m.From.Mailbox.String()
		if to := len(m.To); i == 1 && (to != 2 || from != "x@a.test") || i != 1 && (to != 1 || from != "ann@a.test") {
			t.Errorf("message %d: %+v", i, m)
		}
	}
}

// TestNewsWithoutAServer: a news: URL names no server, and nobody else does.
func TestNewsWithoutAServer(t *testing.T) {
	t.Setenv("NNTPSERVER", "")
	t.Setenv("NNTP_URL", "")
	code, out, said := mainOf(t, "get", "news:local.test")
	if code != 2 || out != "" || !strings.Contains(said, "NNTPSERVER") || strings.Count(said, "\n") != 1 {
		t.Errorf("status %d, %q, %q", code, out, said)
	}
	if code, said := put(t, "x", "-", "news:local.test"); code != 2 || !strings.Contains(said, "NNTPSERVER") {
		t.Errorf("status %d, %q", code, said)
	}
}

// TestLetters brings mail from files to a server and back, and nothing twice.
func TestLetters(t *testing.T) {
	box := imaptest.New(t, imaptest.Options{Messages: []string{letter, strings.ReplaceAll(letter, "hello", "bye")}})
	imap := "imap://" + imaptest.User + ":" + imaptest.Password + "@" + box.Addr
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		args, said string
		code       int
	}{
		{"get " + imap + "/INBOX -o " + at("a.mbox"), "2 messages fetched", 0},
		{"get " + imap + "/INBOX -o " + at("a.mbox"), "0 messages fetched, 2 there already", 0},
		{"get " + imap + "/INBOX -o " + at("md") + "/", "2 messages fetched", 0},
		{"get " + imap + "/INBOX?BODY%20bye -o " + at("found.mbox"), "1 message fetched", 0},
		{"get " + imap + "/INBOX --as eml -o " + at("eml"), "2 messages fetched", 0},
		{"get " + imap + "/INBOX --as mbox", "2 messages fetched", 0},
		{"get " + imap + "/INBOX --as maildir", "wants a directory", 2},
		{"get " + imap + "/INBOX --as pst", "want list", 2},
		{"get " + imap + "/INBOX;UID=1 --as mbox", "is for a mailbox", 2},
		{"get " + imap + "/none -o " + at("none.mbox"), "No such mailbox", 78},
		{"get " + imap + "/INBOX -o " + at("no/such/dir.mbox"), "no such file", 23},
		{"put " + at("a.mbox") + " " + imap + "/INBOX", "0 messages put, 2 there already", 0},
		{"put " + at("a.mbox") + " " + imap + "/New", "--create-dirs", 25},
		{"put --create-dirs " + at("a.mbox") + " " + imap + "/New", "2 messages put", 0},
		{"put " + at("md") + " " + imap + "/New", "0 messages put, 2 there already", 0},
		{"put " + at("eml") + " " + imap + "/New", "0 messages put, 2 there already", 0},
		{"put " + at("") + " " + imap + "/New", "neither a Maildir", 26},
		{"put " + at("a.mbox") + " " + imap + "/", "names no mailbox", 2},
		{"get -r " + imap + "/ -o " + at("all"), "2 files moved", 0},
		{"get -r " + imap + "/ -o " + at("all"), "0 files moved, 0 B, 2 the same already", 0},
		{"put -r " + at("all") + " " + imap + "/Copy", "2 files moved", 0},
		{"put -r " + at("all") + " " + imap + "/Copy", "0 files moved, 0 B, 2 the same already", 0},
	} {
		code, _, said := mainOf(t, append(strings.Fields(c.args), "--retry", "0")...)
		if code != c.code || !strings.Contains(said, c.said) {
			t.Errorf("%s: status %d (want %d), %q", c.args, code, c.code, said)
		}
	}
	for _, name := range []string{"INBOX", "New", "Copy", "Copy/New"} {
		if all := box.Messages(name); len(all) != 2 {
			t.Errorf("%s has %d messages", name, len(all))
		}
	}
}

// TestLettersOfOthers: an mbox in which a killed run had begun to write, and
// another program did, is left alone; one line says so, and no try more is made.
func TestLettersOfOthers(t *testing.T) {
	box := imaptest.New(t, imaptest.Options{Messages: []string{letter}})
	file := filepath.Join(t.TempDir(), "a.mbox")
	args := []string{"get", "imap://" + imaptest.User + ":" + imaptest.Password + "@" + box.Addr + "/INBOX", "-o", file}
	if code, _, said := mainOf(t, args...); code != 0 {
		t.Fatal(said)
	}
	text, err := os.ReadFile(file + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var note map[string]any
	if err := json.Unmarshal(text, &note); err != nil {
		t.Fatal(err)
	}
	note["uids"], note["size"], note["open"] = "", 0, true
	if text, err = json.Marshal(note); err != nil {
		t.Fatal(err)
	}
	const theirs = "From joe Mon Nov  2 10:00:00 2026\nSubject: theirs\n\ny\n\n"
	if err := errors.Join(os.WriteFile(file, []byte(theirs), 0o600), os.WriteFile(file+".json", text, 0o600)); err != nil {
		t.Fatal(err)
	}
	code, _, said := mainOf(t, args...)
	if code != 23 || strings.Count(said, "\n") != 1 || !strings.Contains(said, "from byte 0 on") {
		t.Errorf("status %d, %q", code, said)
	}
	wrote(t, file, theirs)
}

// TestServeTerms: who starts a server of mail is told what becomes of it.
func TestServeTerms(t *testing.T) {
	ready := app.Ready{Services: []app.Listening{{Name: "imap"}, {Name: "smtp"}}}
	for _, c := range []struct {
		cfg   app.Config
		ready app.Ready
		want  string
	}{
		{app.Config{}, ready, "  kept in memory (--data DIR keeps it); nothing is relayed; any name and password\n"},
		{app.Config{Data: "d", Users: map[string]string{"ann": "x"}}, ready, "  kept in d; nothing is relayed\n"},
		{app.Config{}, app.Ready{Services: []app.Listening{{Name: "echo"}}}, ""},
	} {
		if got := terms(c.cfg, c.ready); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestPutMailOnce: a message that was begun is not sent again, for it may have
// been taken.
func TestPutMailOnce(t *testing.T) {
	post := smtptest.NewWith(t, smtptest.Options{Faults: []faults.Rule{{Verb: "DATA", After: 10, Do: faults.Reset}, {Verb: "BDAT", After: 10, Do: faults.Reset}}})
	file := filepath.Join(sources(t, map[string]string{"m.eml": letter + strings.Repeat("x\n", 10_000)}), "m.eml")
	if code, said := put(t, "", file, "smtp://"+post.Addr+"/"); code != 25 || strings.Contains(said, "again") {
		t.Errorf("status %d, %q", code, said)
	}
}

// TestRunMail: a command sends mail by SMTP and reads it by IMAP and POP3, from
// one store.
func TestRunMail(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the command of farend run is this binary, of a Unix")
	}
	var out lockedBuffer
	code, said := runSelf(t, t.Context(), "mail", &out, "smtp", "imap", "pop3")
	if code != 0 || out.String() != "1 café\n"+crlf(letter)+"1 " {
		t.Errorf("status %d, %q, %q", code, out.String(), said)
	}
}

// mailCommand is what TestRunMail runs.
func mailCommand(t *testing.T) {
	var out, errs bytes.Buffer
	at := func(service, rest string) string {
		return strings.TrimSuffix(strings.Replace(os.Getenv(service+"_URL"), "://", "://bob%40b.test:x@", 1), "/") + rest
	}
	for _, args := range [][]string{
		{"put", "-", "--from", "ann@a.test", "--to", "bob@b.test", os.Getenv("SMTP_URL")},
		{"get", at("IMAP", "/INBOX")},
		{"get", at("IMAP", "/INBOX;UID=1;SECTION=HEADER.FIELDS.NOT%20(Received%20Return-Path)"), at("IMAP", "/INBOX;UID=1;SECTION=TEXT")},
		{"get", at("POP3", "/")},
	} {
		if code := Main(t.Context(), args, strings.NewReader(letter), &out, &errs, os.Environ()); code != 0 {
			t.Fatalf("%q: %d, %s", args, code, errs.String())
		}
	}
	text := out.String()
	_, _ = os.Stdout.WriteString(text[:strings.LastIndex(text, "1 ")+2])
	os.Exit(0)
}
