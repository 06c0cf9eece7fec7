// os/signal: signals to the process, to be caught, ignored, and by default.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	caught := make(chan os.Signal, 8)
	signal.Notify(caught, syscall.SIGUSR1, syscall.SIGHUP)
	for _, each := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGUSR1} {
		if err := syscall.Kill(os.Getpid(), each); err != nil {
			panic(err)
		}
		fmt.Println("caught", <-caught)
	}
	signal.Ignore(syscall.SIGUSR2)
	fmt.Println("ignored", signal.Ignored(syscall.SIGUSR2))
	syscall.Kill(os.Getpid(), syscall.SIGUSR2)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	syscall.Kill(os.Getpid(), syscall.SIGINT)
	<-ctx.Done()
	stop()
	fmt.Println("context over")

	signal.Reset()
	syscall.Kill(os.Getpid(), syscall.SIGTERM)
	select {}
}
