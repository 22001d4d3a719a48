package gopher_test

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
	"github.com/farend-go/farend/proto/gopher"
	"github.com/farend-go/farend/server"
)

// inMemory dials a server of a backend without a network. The server of each
// connection ends with it.
func inMemory(ctx context.Context, b gopher.Backend, o gopher.Options) *gopher.Client {
	return &gopher.Client{Dial: func(context.Context, string) (*conv.Conn, error) {
		near, far := transcript.Pipe()
		srv := &server.Server{Handler: gopher.NewHandler(b, o)}
		go func() { _ = srv.Serve(ctx, transcript.Once(far)) }() // net.ErrClosed: nobody else will come
		return conv.New(near, conv.Options{}), nil
	}}
}

// A menu, and the first text in it.
func Example() {
	ctx := context.Background()
	c := inMemory(ctx, rawBits{}, rawBitsOptions)
	u, err := gopher.ParseURL("gopher://rawbits.micro.umn.edu/")
	if err != nil {
		fmt.Println(err)
		return
	}
	for item, err := range c.Menu(ctx, u) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %s (%s)\n", item.Type, item.Name, u.To(item))
		if item.Type == gopher.Text {
			r, err := c.Get(ctx, u.To(item))
			if err != nil {
				fmt.Println(err)
				return
			}
			line := make([]byte, 21)
			_, err = io.ReadFull(r, line)
			fmt.Printf("   %q %v\n", line, err)
			r.Close()
			break
		}
	}
	// Output:
	// text: About internet Gopher (gopher://rawBits.micro.umn.edu/0Stuff:About%20us)
	//    "Gopher is a protocol." <nil>
}

func ExampleParseURL() {
	for _, s := range []string{
		"gopher://gopher.example",
		"gophers://[2001:db8::1]:7443/9/pub/file.tar.gz",
		"gopher://gopher.example/7/index%09prairie%20dogs",
		"gopher://gopher.example/0/x%0D%0AQUIT",
	} {
		u, err := gopher.ParseURL(s)
		if err != nil {
			fmt.Println(err)
			continue
		}
		line, _ := u.Append(nil)
		fmt.Printf("%s %q %s\n", u.Address(), line, u.Type)
	}
	// Output:
	// gopher.example:70 "" menu
	// [2001:db8::1]:7443 "/pub/file.tar.gz" binary file
	// gopher.example:70 "/index\tprairie dogs" search
	// gopher URL "gopher://gopher.example/0/x%0D%0AQUIT": gopher: CR, LF, TAB or NUL inside a field
}

// An ordinary http.Client that opens gopher URLs.
func ExampleTransport() {
	ctx := context.Background()
	t := &http.Transport{}
	t.RegisterProtocol("gopher", &gopher.Transport{Client: inMemory(ctx, rawBits{}, rawBitsOptions)})
	c := &http.Client{Transport: t}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "gopher://rawbits.micro.umn.edu/0Stuff:About%20us", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := c.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	fmt.Println(resp.Status, resp.Header.Get("Content-Type"), len(b), err)
	// Output: 200 OK text/plain 61 <nil>
}

func ExampleClient_Attributes() {
	ctx := context.Background()
	c := inMemory(ctx, rawBits{}, rawBitsOptions)
	u := gopher.URL{Host: "rawbits.micro.umn.edu", Type: gopher.Text, Request: gopher.Request{Selector: "Stuff:About us"}}
	for a, err := range c.Attributes(ctx, u) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(a.Admin())
		fmt.Println(a.ModTime())
		for _, v := range a.Views() {
			fmt.Println(v.Media, v.Lang, v.Size)
		}
	}
	// Output:
	// Frodo Gophermeister <fng@bogus.edu>
	// 1993-07-28 17:02:01 +0000 UTC
	// text/plain  10240
	// application/postscript De_DE 102400
}
