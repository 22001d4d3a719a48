package telnet_test

import (
	"testing"

	"github.com/farend-go/farend/proto/telnet"
)

// world is two ends that talk about one option of one of them: a's view, b's
// view, and what is on its way to each, oldest first.
type world struct {
	a, b     telnet.State
	toA, toB string
}

const words = "+-"

func say(queue string, a telnet.Answer) string {
	if a == telnet.Silent {
		return queue
	}
	return queue + words[a-telnet.Positive:a-telnet.Positive+1]
}

// deliver gives what can follow when one word arrives: a positive one may be
// welcome or not.
func (w world) deliver() []world {
	var out []world
	hear := func(word byte) []telnet.Stimulus {
		if word == '-' {
			return []telnet.Stimulus{telnet.Denied}
		}
		return []telnet.Stimulus{telnet.Agreed, telnet.Refused}
	}
	if w.toA != "" {
		for _, by := range hear(w.toA[0]) {
			n := w
			n.toA = w.toA[1:]
			var answer telnet.Answer
			n.a, answer = w.a.Step(by)
			n.toB = say(n.toB, answer)
			out = append(out, n)
		}
	}
	if w.toB != "" {
		for _, by := range hear(w.toB[0]) {
			n := w
			n.toB = w.toB[1:]
			var answer telnet.Answer
			n.b, answer = w.b.Step(by)
			n.toA = say(n.toA, answer)
			out = append(out, n)
		}
	}
	return out
}

// ask gives what can follow when either end changes its mind.
func (w world) ask() []world {
	var out []world
	for _, by := range []telnet.Stimulus{telnet.AskYes, telnet.AskNo} {
		a, b := w, w
		var answer telnet.Answer
		a.a, answer = w.a.Step(by)
		a.toB = say(a.toB, answer)
		b.b, answer = w.b.Step(by)
		b.toA = say(b.toA, answer)
		out = append(out, a, b)
	}
	return out
}

// TestTwoMachinesSettle walks through every state that two machines and the
// words between them can reach, whatever is asked and agreed to and in whatever
// order words arrive. There are finitely many, so nothing piles up; when nobody
// asks any more, every order of arrival comes to an end, and there both agree.
func TestTwoMachinesSettle(t *testing.T) {
	reached := map[world]bool{}
	todo := []world{{}}
	for len(todo) > 0 {
		w := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if reached[w] {
			continue
		}
		if reached[w] = true; len(w.toA) > 4 || len(w.toB) > 4 {
			t.Fatalf("words pile up: %+v", w)
		}
		todo = append(append(todo, w.deliver()...), w.ask()...)
	}
	settles := map[world]int{} // 1: being looked at, 2: known to settle
	var settle func(w world)
	settle = func(w world) {
		if settles[w] == 2 {
			return
		}
		if settles[w] == 1 {
			t.Fatalf("a loop through %+v", w)
		}
		settles[w] = 1
		next := w.deliver()
		if len(next) == 0 && (w.a != w.b || !w.a.Settled()) {
			t.Errorf("it ends in disagreement: %+v", w)
		}
		for _, n := range next {
			settle(n)
		}
		settles[w] = 2
	}
	for w := range reached {
		settle(w)
	}
	if len(reached) < 30 {
		t.Errorf("only %d states were seen", len(reached))
	}
	t.Logf("%d states", len(reached))
}

// TestSection7 spells out what RFC 1143 section 7 has a side do with each word
// in each state, where its own text names an error too.
func TestSection7(t *testing.T) {
	for _, c := range []struct {
		from telnet.State
		by   telnet.Stimulus
		to   telnet.State
		say  telnet.Answer
	}{
		{telnet.No, telnet.Agreed, telnet.Yes, telnet.Positive},
		{telnet.No, telnet.Refused, telnet.No, telnet.Negative},
		{telnet.Yes, telnet.Refused, telnet.Yes, telnet.Silent},
		{telnet.Yes, telnet.Denied, telnet.No, telnet.Negative},
		{telnet.WantNo, telnet.Agreed, telnet.No, telnet.Silent},          // DONT answered by WILL
		{telnet.WantNoOpposite, telnet.Agreed, telnet.Yes, telnet.Silent}, // DONT answered by WILL
		{telnet.WantNoOpposite, telnet.Denied, telnet.WantYes, telnet.Positive},
		{telnet.WantYesOpposite, telnet.Agreed, telnet.WantNo, telnet.Negative},
		{telnet.WantYesOpposite, telnet.Denied, telnet.No, telnet.Silent},
	} {
		if to, say := c.from.Step(c.by); to != c.to || say != c.say {
			t.Errorf("%v by %d: %v and %d, want %v and %d", c.from, c.by, to, say, c.to, c.say)
		}
	}
}
