package server

// TinyRings is Events on rings in which nothing has room.
func TinyRings(loops int) Engine {
	return &events{options: EventOptions{Loops: loops, Uring: true}, size: ringSize{asks: 2, answers: 4, bufs: 2, buf: 64, out: 4096}}
}
