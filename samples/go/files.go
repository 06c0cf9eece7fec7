// Files, directories, pipes with deadlines, from several goroutines.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	dir := must(os.MkdirTemp("", "files"))
	defer os.RemoveAll(dir)
	var group sync.WaitGroup
	for n := range 16 {
		group.Add(1)
		go func() {
			defer group.Done()
			name := filepath.Join(dir, fmt.Sprintf("file%02d", n))
			if err := os.WriteFile(name, []byte(strings.Repeat("line\n", n*100)), 0o644); err != nil {
				panic(err)
			}
		}()
	}
	group.Wait()
	lines, names := 0, 0
	filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if entry.IsDir() {
			return nil
		}
		names++
		file := must(os.Open(path))
		defer file.Close()
		for scanner := bufio.NewScanner(file); scanner.Scan(); {
			lines++
		}
		return nil
	})
	fmt.Println(names, "files", lines, "lines")
	_, err := os.Open(filepath.Join(dir, "none"))
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	if err := os.Rename(filepath.Join(dir, "file01"), filepath.Join(dir, "moved")); err != nil {
		panic(err)
	}
	info := must(os.Stat(filepath.Join(dir, "moved")))
	fmt.Println(info.Name(), info.Size(), info.Mode())

	reader, writer, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	reader.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, err = reader.Read(make([]byte, 1))
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))
	reader.SetReadDeadline(time.Time{})
	go func() {
		for n := range 1000 {
			fmt.Fprintln(writer, "message", n)
		}
		writer.Close()
	}()
	count := 0
	for scanner := bufio.NewScanner(reader); scanner.Scan(); {
		count++
	}
	fmt.Println(count, "messages")
}
