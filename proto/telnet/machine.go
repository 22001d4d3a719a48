package telnet

// State is how far one side's use of one option has been agreed upon, by the
// method of RFC 1143.
type State uint8

// The states. The last letter of a Want that ends in Opposite is RFC 1143's
// queue: as soon as the answer has come, the opposite is asked for.
const (
	No State = iota
	Yes
	WantNo
	WantNoOpposite
	WantYes
	WantYesOpposite
)

// String is the state's name in RFC 1143.
func (s State) String() string {
	return [...]string{"NO", "YES", "WANTNO", "WANTNO OPPOSITE", "WANTYES", "WANTYES OPPOSITE"}[s]
}

// A Stimulus is what moves a State.
type Stimulus uint8

// The stimuli. Positive is WILL of his side and DO of ours; Negative is WONT
// and DONT.
const (
	AskYes  Stimulus = iota // we want it on
	AskNo                   // we want it off
	Agreed                  // a positive word has come, and we would have it on
	Refused                 // a positive word has come, and we would not
	Denied                  // a negative word has come
)

// An Answer is what a step has us say.
type Answer uint8

// The answers.
const (
	Silent   Answer = iota
	Positive        // DO of his side, WILL of ours
	Negative        // DONT of his side, WONT of ours
)

type step struct {
	next State
	say  Answer
}

// method is RFC 1143 section 7: a row for each state, in it AskYes, AskNo,
// Agreed, Refused, Denied.
var method = [...][5]step{
	No:              {{WantYes, Positive}, {No, Silent}, {Yes, Positive}, {No, Negative}, {No, Silent}},
	Yes:             {{Yes, Silent}, {WantNo, Negative}, {Yes, Silent}, {Yes, Silent}, {No, Negative}},
	WantNo:          {{WantNoOpposite, Silent}, {WantNo, Silent}, {No, Silent}, {No, Silent}, {No, Silent}},
	WantNoOpposite:  {{WantNoOpposite, Silent}, {WantNo, Silent}, {Yes, Silent}, {Yes, Silent}, {WantYes, Positive}},
	WantYes:         {{WantYes, Silent}, {WantYesOpposite, Silent}, {Yes, Silent}, {Yes, Silent}, {No, Silent}},
	WantYesOpposite: {{WantYes, Silent}, {WantYesOpposite, Silent}, {WantNo, Negative}, {WantNo, Negative}, {No, Silent}},
}

// Step is the next state and what must be said for it. Two ends that step so
// never loop, and agree when nothing is under way any more.
func (s State) Step(by Stimulus) (next State, say Answer) {
	m := method[s][by]
	return m.next, m.say
}

// Settled tells that nothing is under way.
func (s State) Settled() bool { return s == No || s == Yes }
