// Command app is the application that the demonstration ships: a small HTTP server that
// says which version it is. It is built several times. Two of them are bad, in the ways that hurt
// most: one starts well, answers its probes, and falls ill when everybody has relaxed; the other
// answers every probe, and fails a share of what its users ask.
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
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Set at build time: -ldflags "-X main.version=2.0.0 -X main.sickAfter=3s -X main.failEvery=4".
var (
	version   = "0.0.0"
	sickAfter = ""
	failEvery = ""
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	run := serve
	switch strings.Join(os.Args[1:], " ") {
	case "check":
		run = check // the release's own test, before it goes live
	case "migrate":
		run = migrate
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

// migrate changes the data that all instances share. It would do so again if it were asked again, so its line in the data shows how often it was.
func migrate(_ context.Context, _, _ string) error {
	data, err := os.OpenFile(os.Getenv("DATABASE"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // G703: where the data is, is for who runs it to say
	if err != nil {
		return fmt.Errorf("DATABASE: %w", err)
	}
	_, err = fmt.Fprintf(data, "the orders have got a customer, by version %s\n", version)
	return errors.Join(err, data.Close())
}

func serve(ctx context.Context, address, greeting string) error {
	started := time.Now()
	sick, err := sickness(started)
	if err != nil {
		return err
	}
	every, err := strconv.ParseUint("0"+failEvery, 10, 32)
	if err != nil {
		return fmt.Errorf("failEvery: %w", err)
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
	users := http.NewServeMux()
	users.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { answer(w, version) })
	users.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, fmt.Sprintf("%s, this is version %s, up for %s", greeting, version, time.Since(started).Round(time.Second)))
	})
	mux.Handle("GET /", failing(users, every))
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

// failing fails one request in so many, and says in all of them which version it was.
func failing(users http.Handler, every uint64) http.Handler {
	var asked atomic.Uint64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("App-Version", version)
		if every > 0 && asked.Add(1)%every == 0 {
			http.Error(w, "the orders cannot be reached", http.StatusInternalServerError)
			return
		}
		users.ServeHTTP(w, r)
	})
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
