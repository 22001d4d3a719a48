package transcript_test

import (
	"context"
	"fmt"
	"os"

	"github.com/farend-go/farend/conv"
	"github.com/farend-go/farend/conv/transcript"
)

func Example() {
	script, err := transcript.Parse("greet.txt", `
S: 220 ready
C: QUIT
S: 221 bye
S.
`)
	if err != nil {
		fmt.Println(err)
		return
	}
	client, server := transcript.Pipe()
	done := make(chan error)
	go func() { done <- transcript.Play(context.Background(), server, script, transcript.ServerSide) }()

	c := conv.New(client, conv.Options{})
	reply, _ := c.R.Reply()
	fmt.Println(reply)
	_ = c.W.LineString("QUIT")
	reply, _ = c.R.Reply()
	fmt.Println(reply)
	_ = c.Close()
	fmt.Println("the script:", <-done)
	// Output:
	// 220 ready
	// 221 bye
	// the script: <nil>
}

func ExampleScript() {
	script, _ := transcript.Parse("x", "C: tab\\there, no end\\c\nC: PASS ***\n")
	for _, step := range script.Steps {
		fmt.Printf("%v %q %v\n", step.Side, step.Bytes, step.Masked)
	}
	fmt.Fprint(os.Stdout, script)
	// Output:
	// C "tab\there, no end" false
	// C "PASS " true
	// C: tab\there, no end\c
	// C: PASS ***
}
