// Faults of the processor become panics that can be recovered from, on any thread.
package main

import (
	"errors"
	"fmt"
	"runtime"
)

type point struct{ x, y int }

func try(name string, what func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			failure := recover()
			var err runtime.Error
			if e, ok := failure.(error); ok && errors.As(e, &err) {
				fmt.Println(name+":", err)
			}
		}()
		what()
	}()
	<-done
}

func main() {
	var none *point
	zero := 0
	var table map[string]int
	for range 3 {
		try("nil read", func() { fmt.Println(none.y) })
		try("nil write", func() { none.x = 1 })
		try("division", func() { fmt.Println(1 / zero) })
		try("index", func() { fmt.Println(make([]int, 3)[zero+3]) })
		try("map", func() { table["a"] = 1 })
	}
	var call func()
	try("nil call", func() { call() })
	var deep func(int) int
	deep = func(n int) int { // the stack grows and moves
		if n == 0 {
			return 0
		}
		return 1 + deep(n-1)
	}
	fmt.Println("deep", deep(100_000))
}
