// os/exec: the program runs itself, through pipes, with an environment, a directory and an end to wait for.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

func child() {
	switch os.Args[1] {
	case "upper":
		text, _ := io.ReadAll(os.Stdin)
		fmt.Print(strings.ToUpper(string(text)))
	case "where":
		dir, _ := os.Getwd()
		fmt.Println(dir, os.Getenv("GREETING"))
	case "fail":
		fmt.Fprintln(os.Stderr, "going to fail")
		os.Exit(3)
	case "die":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "sleep":
		time.Sleep(time.Hour)
	}
}

func main() {
	if len(os.Args) > 1 {
		child()
		return
	}
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	command := exec.Command(self, "upper")
	command.Stdin = strings.NewReader(strings.Repeat("through a pipe\n", 3))
	text, err := command.Output()
	fmt.Print(string(text))
	fmt.Println(err)

	command = exec.Command(self, "where")
	command.Dir, command.Env = "/", []string{"GREETING=hello"}
	text, err = command.CombinedOutput()
	fmt.Print(string(text))
	fmt.Println(err)

	var errors_ bytes.Buffer
	command = exec.Command(self, "fail")
	command.Stderr = &errors_
	err = command.Run()
	var exit *exec.ExitError
	fmt.Println(errors.As(err, &exit), exit.ExitCode(), strings.TrimSpace(errors_.String()))

	fmt.Println(exec.Command(self, "die").Run())
	_, err = exec.Command("/nowhere").Output()
	fmt.Println(err)

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	fmt.Println(exec.CommandContext(ctx, self, "sleep").Run())

	var group sync.WaitGroup
	answers := make([]string, 4)
	for n := range answers {
		group.Add(1)
		go func() {
			defer group.Done()
			command := exec.Command(self, "upper")
			command.Stdin = strings.NewReader(fmt.Sprintf("child %d", n))
			text, err := command.Output()
			answers[n] = fmt.Sprint(string(text), " ", err)
		}()
	}
	group.Wait()
	fmt.Println(strings.Join(answers, ", "))
}
