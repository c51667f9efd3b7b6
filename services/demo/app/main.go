// Command app is the application that the demonstration ships: a small HTTP server that
// says which version it is. It is built three times; the third one is bad, in the way that hurts
// most: it starts well, answers its probes, and falls ill when everybody has relaxed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Set at build time: -ldflags "-X main.version=2.0.0 -X main.sickAfter=3s".
var (
	version   = "0.0.0"
	sickAfter = ""
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	run := serve
	if len(os.Args) > 1 && os.Args[1] == "check" {
		run = check // the release's own test, before it goes live
	}
	if err := run(ctx, os.Getenv("ADDRESS"), os.Getenv("GREETING")); err != nil {
		log.Print(err)
		stop()
		os.Exit(1)
	}
}

// check tells whether the configuration makes sense, without touching what runs.
func check(_ context.Context, address, greeting string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("ADDRESS: %w", err)
	}
	if greeting == "" {
		return errors.New("GREETING is not set")
	}
	log.Printf("version %s is well configured", version)
	return nil
}

func serve(ctx context.Context, address, greeting string) error {
	started := time.Now()
	sick, err := sickness(started)
	if err != nil {
		return err
	}
	// One line a start, with the process: what was done twice shows here.
	log.Printf("start version=%s pid=%d", version, os.Getpid())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if sick() {
			http.Error(w, "the queue is full", http.StatusServiceUnavailable)
			return
		}
		answer(w, "ok "+version)
	})
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { answer(w, version) })
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, fmt.Sprintf("%s, this is version %s, up for %s", greeting, version, time.Since(started).Round(time.Second)))
	})
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() {
		done, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(done) // what is still open after that is cut by the end of the process
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func answer(w io.Writer, text string) {
	_, _ = fmt.Fprintln(w, text) // whoever asked may have gone
}

// sickness tells from when on the application no longer works.
func sickness(started time.Time) (func() bool, error) {
	if sickAfter == "" {
		return func() bool { return false }, nil
	}
	after, err := time.ParseDuration(sickAfter)
	if err != nil {
		return nil, fmt.Errorf("sickAfter: %w", err)
	}
	return func() bool { return time.Since(started) > after }, nil
}
