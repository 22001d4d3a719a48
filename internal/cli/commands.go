package cli

import "github.com/spf13/cobra"

// commands is every command. Each has a file of its own, and one line here. A
// command gets the world as an env: it reads e.in, writes data to e.out and
// talk to e.err (through e.say, which -q silences), and returns its error,
// wrapped in exit where the status is not 1 or in usageErr where it is 2.
// Errors of a command's Args and flags are 2 by themselves. Its Example holds
// three lines, and its whole help fits 24 lines of 80.
func commands(e *env) []*cobra.Command {
	return []*cobra.Command{
		newServe(e),
		newRun(e),
		newTalk(e),
		newGet(e),
		newPut(e),
		newRPC(e),
		newAddr(e),
		newBench(e),
		newList(e),
		newExample(e),
		newCompletion(e),
		newMan(e),
	}
}
