// Garbage collection under load: several goroutines allocate, a live tree survives, finalizers run.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

type node struct {
	left, right *node
	payload     [32]byte
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: tree(depth - 1), right: tree(depth - 1)}
}

func (n *node) count() int {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

func main() {
	debug.SetGCPercent(20)
	kept := tree(12)
	var group sync.WaitGroup
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 20 {
				if tree(9).count() != 1023 {
					panic("a living node was collected")
				}
			}
		}()
	}
	group.Wait()
	freed := make(chan bool, 1)
	func() {
		victim := &node{}
		runtime.SetFinalizer(victim, func(*node) { freed <- true })
	}()
	for collected := false; !collected; {
		runtime.GC()
		select {
		case collected = <-freed:
		default:
		}
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fmt.Println("kept", kept.count(), "collections > 5:", stats.NumGC > 5, "finalizer ran")
}
