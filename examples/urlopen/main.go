// Command urlopen is the tutorials' first program for URLs: it prints the
// first 300 bytes of what a URL names.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/farend-go/farend/open"
	"github.com/farend-go/farend/socket"
)

func main() {
	url := flag.String("url", "https://www.cnn.co.jp", "what to open")
	flag.Parse()
	if err := show(context.Background(), *url); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func show(ctx context.Context, url string) error {
	f, err := open.URL(ctx, url)
	if err != nil {
		return err
	}
	defer f.Body.Close()
	data := make([]byte, 300)
	n, err := io.ReadFull(f.Body, data)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	fmt.Println(socket.Repr(data[:n]))
	return nil
}
