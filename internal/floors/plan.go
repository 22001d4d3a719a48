package floors

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Plan says which way imports may go. A line reads
//
//	packages < what they may import   # why, where it is not plain
//
// Packages are named from the module's root ("." is the root itself), a star
// stands for a part of one path element, and lines add up: a package may
// import what any line that matches it allows. A name whose first element
// holds a dot is another module; what no line names is forbidden, and a
// package that no line matches stands on no floor. Packages below
// X/internal stand where X stands and belong to X.
//
// Only what ships is held to the floors. A test may import any package of
// ours, and of other modules those of its package and of the line "tests".
const Plan = `
# ground: bytes and descriptors, and what is kept
.                                     <
socket wire message store filetree    <
socket                                < golang.org/x/sys github.com/mdlayher/socket golang.org/x/net
store/memstore store/diskstore store/storetest < store
store                                 < store   # the packages inside it
store/memstore store/diskstore        < store/internal/*
store/diskstore                       < go.etcd.io/bbolt golang.org/x/sys
message                               < golang.org/x/text
message/mbox message/maildir          < message
filetree                              < golang.org/x/sys
filetree/treetest                     < filetree

# first floor: conversation
conv auth                             < wire socket
conv                                  < golang.org/x/sys
auth                                  < golang.org/x/crypto golang.org/x/text github.com/xdg-go/scram github.com/xdg-go/stringprep
conv/faults conv/transcript           < conv wire
conv/deflate                          <

# second floor: who runs it, who starts it
server dial                           < conv wire socket golang.org/x/sys
server                                < github.com/pires/go-proxyproto
load                                  < dial socket golang.org/x/sys github.com/HdrHistogram/hdrhistogram-go

# third floor: the protocols; never each other, never a store
proto                                 < server dial conv auth wire message socket
proto/*                               < proto server dial conv auth wire message socket
proto/*                               < proto/internal/pool
proto/*                               < conv/deflate golang.org/x/text golang.org/x/net
proto/xmlrpc                          < proto/web   # XML-RPC is spoken over HTTP
proto/*/*test                         < proto proto/* keep/* auth server dial conv conv/faults conv/transcript wire message mailbox newsgroup filetree store store/memstore internal/testcert internal/servertest

# fourth floor: the rooms people use; they never see a conversation
mailbox newsgroup                     < store message
keep/*                                < proto proto/* mailbox newsgroup filetree store message server conv auth wire
open                                  < proto proto/* dial conv auth wire message
open                                  < golang.org/x/net

# roof
internal/testcert internal/pages      <
internal/foreign                      < internal/testcert   # for tests beside programs of others alone
internal/servertest                   < server conv conv/faults conv/transcript
app console                           < proto proto/* keep/* mailbox newsgroup filetree store store/* server dial conv conv/* auth wire message socket open internal/testcert
app                                   < github.com/BurntSushi/toml github.com/creack/pty
console                               < app
docs/protocols/*                      < proto proto/* keep/* server dial conv auth wire message mailbox newsgroup filetree socket open
examples examples/*                   < proto proto/* keep/* server dial conv conv/* auth wire message socket open
internal/cli internal/cli/*           < app console examples proto proto/* open server dial load conv conv/* auth wire message message/* socket internal/testcert
internal/cli internal/cli/*           < mailbox filetree github.com/vbauerster/mpb/v8 golang.org/x/net
internal/cli internal/cli/*           < github.com/spf13/cobra github.com/spf13/pflag golang.org/x/term golang.org/x/sys
internal/cli                          < internal/cli/*
internal/cli/transfer                 < internal/cli/letters
cmd/*                                 < internal/cli app
internal/floors                       <

tests                                 < go.uber.org/goleak github.com/creack/pty golang.org/x/sys golang.org/x/net
`

// rule is one line of a plan.
type rule struct {
	packages []string
	may      []string
}

// parsePlan reads the text of a plan; see [Plan] for its grammar.
func parsePlan(text string) ([]rule, error) {
	var rules []rule
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		packages, may, ok := strings.Cut(line, "<")
		if !ok || strings.TrimSpace(packages) == "" {
			return nil, fmt.Errorf("floors: plan, line %d: want \"packages < imports\"", i+1)
		}
		r := rule{strings.Fields(packages), strings.Fields(may)}
		for _, pattern := range slices.Concat(r.packages, r.may) {
			if _, err := path.Match(pattern, ""); err != nil {
				return nil, fmt.Errorf("floors: plan, line %d: %q: %w", i+1, pattern, err)
			}
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// allowed collects what the rules let the package at dir import, and whether
// any rule knows it.
func allowed(rules []rule, dir string) (may []string, known bool) {
	home := household(dir)
	for _, r := range rules {
		if matchAny(r.packages, home) {
			may = append(may, r.may...)
			known = true
		}
	}
	return may, known
}

// household is the package on whose floor dir stands: the one above
// "internal", unless that is the module's own.
func household(dir string) string {
	if above, _, ok := strings.Cut(dir, "/internal/"); ok {
		return above
	}
	return dir
}

// mayImport tells whether target (a directory of ours, or another module's
// import path) is among the patterns.
func mayImport(may []string, target string) bool {
	if !foreign(target) {
		return matchAny(may, target)
	}
	return slices.ContainsFunc(may, func(module string) bool {
		return foreign(module) && (target == module || strings.HasPrefix(target, module+"/"))
	})
}

func matchAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, _ := path.Match(p, name)
		return ok
	})
}

// foreign tells another module's import path from a directory of ours.
func foreign(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return len(first) > 1 && strings.Contains(first, ".")
}
