package telnet

// A Variable is one of an environment (RFC 1572).
type Variable struct {
	Name, Value string
	User        bool // not one of the names that everybody knows (USER, JOB, ACCT, PRINTER, SYSTEMTYPE, DISPLAY)
	Undefined   bool // there is none of this name
}

// The codes inside NEW-ENVIRON.
const (
	envVar   = 0
	envValue = 1
	envEsc   = 2
	envUser  = 3
)

// AppendVariables appends variables as NEW-ENVIRON has them, behind IS or INFO.
func AppendVariables(b []byte, all []Variable) []byte {
	for _, v := range all {
		kind := byte(envVar)
		if v.User {
			kind = envUser
		}
		b = appendEscaped(append(b, kind), v.Name)
		if !v.Undefined {
			b = appendEscaped(append(b, envValue), v.Value)
		}
	}
	return b
}

func appendEscaped(b []byte, text string) []byte {
	for i := range len(text) {
		if text[i] <= envUser {
			b = append(b, envEsc)
		}
		b = append(b, text[i])
	}
	return b
}

// ParseVariables reads them. What it does not understand it leaves out.
func ParseVariables(b []byte) []Variable {
	var (
		all   []Variable
		value bool
	)
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == envVar || c == envUser:
			all, value = append(all, Variable{User: c == envUser, Undefined: true}), false
			continue
		case len(all) == 0:
			continue
		case c == envValue && !value:
			value, all[len(all)-1].Undefined = true, false
			continue
		case c == envEsc && i+1 < len(b):
			i++
			c = b[i]
		}
		v := &all[len(all)-1]
		if value {
			v.Value += string([]byte{c})
		} else {
			v.Name += string([]byte{c})
		}
	}
	return all
}

// subEnviron tells the variables that are asked for, all where none is named,
// or learns the peer's. Those that Options do not name are not there.
func (n *NVT) subEnviron(b []byte) {
	if len(b) == 0 {
		return
	}
	what, b := b[0], b[1:]
	switch {
	case what == subSend && n.Ours(NewEnviron):
		n.Sub(NewEnviron, AppendVariables([]byte{subIs}, n.wanted(b)))
	case (what == subIs || what == subInfo) && n.Theirs(NewEnviron):
		for _, v := range ParseVariables(b) {
			n.learn(v)
		}
	}
}

// wanted are the variables that a SEND names. A kind without a name is all of
// that kind.
func (n *NVT) wanted(b []byte) []Variable {
	if len(b) == 0 {
		return n.o.Variables
	}
	var out []Variable
	for _, w := range ParseVariables(b) {
		found := false
		for _, v := range n.o.Variables {
			if v.User == w.User && (w.Name == "" || w.Name == v.Name) {
				out, found = append(out, v), true
			}
		}
		if !found && w.Name != "" {
			out = append(out, Variable{Name: w.Name, User: w.User, Undefined: true})
		}
	}
	return out
}

// mostVariables is how many variables of a peer are kept.
const mostVariables = 64

func (n *NVT) learn(v Variable) {
	for i, have := range n.Peer.Variables {
		if have.Name == v.Name && have.User == v.User {
			n.Peer.Variables[i] = v
			return
		}
	}
	if len(n.Peer.Variables) < mostVariables {
		n.Peer.Variables = append(n.Peer.Variables, v)
	}
}
