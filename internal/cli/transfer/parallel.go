package transfer

import "sync"

// parallel does n things, as many at once as the options say, and returns when
// all have ended. Each tells its result, now or by another one later; report
// gets them one at a time.
func (c *Client) parallel(n int, do func(i int, tell func(i int, r Result)), report func(i int, r Result)) {
	var (
		next    = make(chan int)
		telling sync.Mutex
		all     sync.WaitGroup
	)
	tell := func(i int, r Result) {
		telling.Lock()
		defer telling.Unlock()
		report(i, r)
	}
	for range min(max(1, c.o.Parallel), n) {
		all.Go(func() {
			for i := range next {
				do(i, tell)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}
