// Command app is what the agent's tests install: a web server that can misbehave.
package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	version, mode := os.Getenv("VERSION"), os.Getenv("MODE")
	fmt.Fprintln(os.Stdout, "starting", version, mode, os.Getenv("TOKEN"))
	if mode == "crash" {
		fmt.Fprintln(os.Stderr, "cannot go on")
		os.Exit(3)
	}
	if mode == "stubborn" {
		signal.Ignore(syscall.SIGTERM)
	}
	if mode == "eat" {
		for eaten := [][]byte(nil); ; {
			eaten = append(eaten, bytes.Repeat([]byte("x"), 1<<20))
		}
	}
	if after, ok := strings.CutPrefix(mode, "die-after="); ok {
		d, _ := time.ParseDuration(after)
		time.AfterFunc(d, func() { os.Exit(4) })
	}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		if mode == "bad" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintln(w, "version", version)
	})
	http.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) { os.Exit(5) })
	if err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil); err != nil { //nolint:gosec // a test
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
