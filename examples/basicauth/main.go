// Command basicauth is the tutorials' program with a password store: the store
// names another host, so that no password leaves and the answer is a 401.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/farend-go/farend/open"
)

func main() {
	if err := fetch(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func fetch(ctx context.Context) error {
	auth := open.NewHTTPBasicAuthHandler(nil)
	err := auth.AddPassword("PDQ Application", "https://mahler:8092/site-updates.py", "klem", "kadidd!ehopper")
	if err != nil {
		return err
	}
	opener := open.BuildOpener(auth)
	open.InstallOpener(opener)
	resp, err := open.URL(ctx, "http://www.example.com/login.html")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	return nil
}
