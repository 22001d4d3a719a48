package server

// TinyRings is Events on rings in which nothing has room.
func TinyRings(loops int) Engine {
	return &events{options: EventOptions{Loops: loops, Uring: UringAlways}, size: ringSize{asks: 2, answers: 4, bufs: 2, buf: 64, out: 4096}}
}

// RingKeeps is how much of a talk's input a loop with a ring keeps until somebody
// asks for it; from a goroutine.
func RingKeeps(t *Talk) int {
	ev := (*evTalk)(t.owner.(*evOwner))
	n := make(chan int)
	ev.site.lp.call(func() { n <- len(ev.line.left()) })
	return <-n
}

// RingKeepsAtMost is from how much on the ring receives no more.
const RingKeepsAtMost = restEnough
