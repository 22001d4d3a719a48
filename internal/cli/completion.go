package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/farend-go/farend/app"
	"github.com/farend-go/farend/dial"
)

var shells = [...]string{"bash", "zsh", "fish", "powershell"}

func newCompletion(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Write the completions for a shell",
		Example: `farend completion bash > ~/.local/share/bash-completion/completions/farend
farend completion zsh > "${fpath[1]}/_farend"
farend completion fish > ~/.config/fish/completions/farend.fish`,
		Long:      "SHELL is bash, zsh, fish or powershell. The completions ask farend itself\nfor names of services, endpoints and flags.",
		ValidArgs: shells[:],
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("completion: for which shell? (bash, zsh, fish, powershell)")
			}
			if !slices.Contains(shells[:], args[0]) {
				return fmt.Errorf("completion: %s: no such shell; there are %s", args[0], strings.Join(shells[:], ", "))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			root := c.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(e.out, true)
			case "zsh":
				return root.GenZshCompletion(e.out)
			case "fish":
				return root.GenFishCompletion(e.out, true)
			}
			return root.GenPowerShellCompletionWithDesc(e.out)
		},
	}
}

// completeServices completes names of services, those already there left out.
func completeServices(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, s := range app.Catalogue() {
		if strings.HasPrefix(s.Name, begun) && !slices.Contains(args, s.Name) {
			out = append(out, s.Name+"\t"+s.About)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeEndpoint completes the scheme of an endpoint, then the path of a Unix
// socket, or this host with the ports where farend serves.
func completeEndpoint(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	const noFile = cobra.ShellCompDirectiveNoFileComp
	if len(args) > 0 {
		return nil, noFile
	}
	word, rest, colon := strings.Cut(begun, ":")
	if !colon {
		return beginning(begun, schemeWords()), noFile | cobra.ShellCompDirectiveNoSpace
	}
	scheme := dial.Scheme(strings.ToLower(word))
	if scheme.Path() {
		return completePath(word, rest), noFile | cobra.ShellCompDirectiveNoSpace
	}
	var out []string
	for _, s := range app.Catalogue() {
		if scheme == dial.TCP && s.Stream != nil || scheme == dial.UDP && s.Packets != nil {
			out = append(out, fmt.Sprintf("%s:localhost:%d\t%s", word, s.Serve, s.Name))
		}
	}
	return beginning(begun, out), noFile
}

func schemeWords() []string {
	about := map[dial.Scheme]string{
		dial.TCP: "a stream", dial.TLS: "a stream that begins with TLS", dial.Unix: "a stream over a Unix socket",
		dial.UDP: "datagrams", dial.Unixgram: "datagrams over a Unix socket",
	}
	var out []string
	for _, s := range dial.Schemes() {
		if text := about[s]; text != "" {
			out = append(out, string(s)+":\t"+text)
		}
	}
	for _, s := range app.Catalogue() {
		for _, scheme := range s.Schemes {
			out = append(out, scheme+"://\t"+s.About)
		}
	}
	return out
}

func beginning(begun string, words []string) []string {
	return slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, begun) })
}
