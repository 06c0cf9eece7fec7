// Goroutines on several threads, channels, a mutex, a wait group, a condition and select.
package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

func main() {
	runtime.GOMAXPROCS(4)
	jobs, results := make(chan int), make(chan int, 16)
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			runtime.LockOSThread() // each worker on a thread of its own
			for n := range jobs {
				results <- n * n
			}
		}()
	}
	go func() {
		for n := range 500 {
			jobs <- n
		}
		close(jobs)
		group.Wait()
		close(results)
	}()
	sum := 0
	for r := range results {
		sum += r
	}
	fmt.Println("sum of squares", sum)

	var mutex sync.Mutex
	var count atomic.Int64
	total := 0
	for range 10_000 {
		group.Add(1)
		go func() {
			defer group.Done()
			count.Add(1)
			mutex.Lock()
			total++
			mutex.Unlock()
		}()
	}
	group.Wait()
	fmt.Println("ten thousand", count.Load(), total)

	ring := make(chan int)
	in := ring
	for range 1000 {
		out := make(chan int)
		go func(in, out chan int) { out <- 1 + <-in }(in, out)
		in = out
	}
	ring <- 0
	fmt.Println("ring", <-in)

	quit, ticks := make(chan struct{}), make(chan int)
	go func() {
		defer close(quit)
		for n := range 3 {
			ticks <- n
		}
	}()
	for done := false; !done; {
		select {
		case n := <-ticks:
			fmt.Println("tick", n)
		case <-quit:
			done = true
		}
	}

	var spun atomic.Bool // a goroutine that never yields does not keep others from running
	go func() { spun.Store(true) }()
	for !spun.Load() {
	}
	fmt.Println("spun")
}
