package nntp_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/farend-go/farend/proto/nntp/nntptest"
	"github.com/farend-go/farend/server"
	"github.com/farend-go/farend/store/diskstore"
)

// benchServer is one on the disk, and a connection with it.
func benchServer(b *testing.B) net.Conn {
	e, err := diskstore.Open(b.TempDir(), diskstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	s := nntptest.New(b, nntptest.Options{Store: e, Engine: engines["events"](), Server: func(s *server.Server) { s.Tap = nil }})
	nc, err := net.Dial("tcp", s.Addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { nc.Close() })
	if _, err := io.ReadFull(nc, make([]byte, len("200 NNTP server ready, posting allowed\r\n"))); err != nil {
		b.Fatal(err)
	}
	return nc
}

// feedOf is n articles of 4 KiB by TAKETHIS, and how long the answers are.
func feedOf(n int) (said string, heard int) {
	var b strings.Builder
	body := strings.Repeat(strings.Repeat("x", 70)+"\n", 54)
	for i := range n {
		id := fmt.Sprintf("<%09d@far.example>", i)
		fmt.Fprintf(&b, "TAKETHIS %s\n%s.\n", id, nntptest.Article(id, nntptest.Group, "s", body))
		heard += len("239 " + id + "\r\n")
	}
	return strings.ReplaceAll(b.String(), "\n", "\r\n"), heard
}

// BenchmarkFeed is a feed of articles of 4 KiB that does not wait for answers.
func BenchmarkFeed(b *testing.B) {
	nc := benchServer(b)
	said, heard := feedOf(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	go io.WriteString(nc, said)
	if _, err := io.CopyN(io.Discard, nc, int64(heard)); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkArticle is articles of 4 KiB that are asked for one behind the other.
func BenchmarkArticle(b *testing.B) {
	nc := benchServer(b)
	said, heard := feedOf(100)
	if _, err := io.WriteString(nc, said+"GROUP "+nntptest.Group+"\r\nSTAT 1\r\n"); err != nil {
		b.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, nc, int64(heard+len("211 100 1 100 local.test\r\n223 1 <000000000@far.example>\r\n"))); err != nil {
		b.Fatal(err)
	}
	var all strings.Builder
	for i := range b.N {
		fmt.Fprintf(&all, "ARTICLE %d\r\n", i%100+1)
	}
	b.ReportAllocs()
	b.ResetTimer()
	go io.WriteString(nc, all.String()+"QUIT\r\n")
	if n, err := io.Copy(io.Discard, nc); err != nil || n < int64(4000*b.N) {
		b.Fatal(n, err)
	}
}
