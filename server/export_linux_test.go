package server

// TinyRings is Events on rings in which nothing has room; whole: of kernels
// before 6.12.
func TinyRings(loops int, whole bool) Engine {
	size := ringSize{asks: 2, answers: 4, bufs: 2, buf: 64, out: 4096, whole: whole}
	return &events{options: EventOptions{Loops: loops, Uring: UringAlways}, size: size}
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
