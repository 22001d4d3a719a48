package cli_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/farend-go/farend/internal/cli"
)

// A command line, as main runs it.
func ExampleMain() {
	ctx := context.Background()
	status := cli.Main(ctx, []string{"serve", "ecko"}, strings.NewReader(""), os.Stdout, os.Stdout, nil)
	fmt.Println(status)
	// Output:
	// farend: serve: ecko: no such service; did you mean echo?
	// 2
}
