package transfer

import "sync"

// parallel does n things, as many at once as the options say, and returns when
// all have ended. report gets their results one at a time.
func (c *Client) parallel(n int, do func(i int) Result, report func(i int, r Result)) {
	var (
		next    = make(chan int)
		telling sync.Mutex
		all     sync.WaitGroup
	)
	for range min(max(1, c.o.Parallel), n) {
		all.Go(func() {
			for i := range next {
				r := do(i)
				telling.Lock()
				report(i, r)
				telling.Unlock()
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}
