// Sleeping, timers, tickers, deadlines of contexts.
package main

import (
	"context"
	"fmt"
	"time"
)

func main() {
	start := time.Now()
	time.Sleep(20 * time.Millisecond)
	fmt.Println("slept at least", time.Since(start) >= 20*time.Millisecond)

	ticker := time.NewTicker(5 * time.Millisecond)
	for range 3 {
		<-ticker.C
	}
	ticker.Stop()
	fmt.Println("three ticks")

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	fmt.Println(ctx.Err())

	order := make(chan int, 3)
	for _, n := range []int{3, 1, 2} {
		time.AfterFunc(time.Duration(n)*20*time.Millisecond, func() { order <- n })
	}
	fmt.Println("in order", <-order, <-order, <-order)
	fmt.Println("stopped before it fired", time.AfterFunc(time.Hour, func() { panic("fired") }).Stop())
}
