// Command golive-agent runs on a host: it installs releases on the host's
// targets, keeps them running, and tells the golive server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/services/agent"
	"github.com/golive-dev/golive/services/agent/shim"
)

var version = "unknown" // set by the linker

// garbage keeps the heap small: the agent shares its host with what it is for.
const garbage = 50

const usage = `golive-agent installs releases on this host and keeps them running.

  golive-agent enrol --server HOST:PORT --token TOKEN [--data-dir DIR]   become an agent of a golive server
  golive-agent run   [--server HOST:PORT] [--data-dir DIR]               work, until SIGTERM; applications go on
  golive-agent version

Every flag has an environment variable: GOLIVE_SERVER, GOLIVE_JOIN_TOKEN, GOLIVE_DATA_DIR, GOLIVE_SHIM, GOLIVE_TRANSPORT,
GOLIVE_LOG_LEVEL.
With a join token, run enrols first if it must.

Flags:
`

func main() {
	if len(os.Args) > 1 && os.Args[1] == "shim" {
		os.Exit(shim.Main(os.Args[2:], os.Stderr))
	}
	debug.SetGCPercent(garbage)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// enrolPatience is how long `enrol` calls a server that does not answer.
const enrolPatience = time.Minute

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	command := "help"
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	config, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil {
		switch command {
		case "enrol":
			err = enrol(ctx, config, stdout)
		case "run":
			err = work(ctx, config)
		case "version":
			_, err = fmt.Fprintln(stdout, "golive-agent", version)
		case "help", "-h", "--help":
			_, _ = parse([]string{"-h"}, stdout) // it writes what there is
		default:
			_, _ = io.WriteString(stderr, usage)
			return 2
		}
	}
	if err != nil {
		report(stderr, err)
		return 1
	}
	return 0
}

// report writes an error as golive does: a line each for what, why and what to do.
func report(stderr io.Writer, err error) {
	words := fault.Tell(err)
	_, _ = fmt.Fprintln(stderr, "error: "+words.What)
	if words.Why != "" {
		_, _ = fmt.Fprintln(stderr, "  why: "+words.Why)
	}
	if words.Do != "" {
		_, _ = fmt.Fprintln(stderr, "  do:  "+words.Do)
	}
}

func enrol(ctx context.Context, config agent.Config, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, enrolPatience)
	defer cancel()
	name, err := agent.Enrol(ctx, config)
	if err == nil {
		_, err = fmt.Fprintln(stdout, name)
	}
	return err
}

func work(ctx context.Context, config agent.Config) error {
	return agent.Work(ctx, config, os.Args)
}

func parse(args []string, stderr io.Writer) (agent.Config, error) {
	flags := flag.NewFlagSet("golive-agent", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		_, _ = io.WriteString(flags.Output(), usage)
		flags.PrintDefaults()
	}
	config := agent.Config{Version: version}
	flags.StringVar(&config.Server, "server", os.Getenv("GOLIVE_SERVER"), "the server's agent port, host:port")
	flags.StringVar(&config.JoinToken, "token", "", "a join token") // not with a default, which would be shown
	flags.StringVar(&config.DataDir, "data-dir", or(os.Getenv("GOLIVE_DATA_DIR"), "/var/lib/golive-agent"), "where to keep everything")
	shimPath := flags.String("shim", os.Getenv("GOLIVE_SHIM"), "the shim's program; golive-shim beside this one by default")
	flags.Int64Var(&config.LogLimit, "log-limit", 0, "bytes of each output file of an application; 4 MiB by default")
	flags.IntVar(&config.LogFiles, "log-files", 0, "how many files of each output are kept; 2 by default and at least")
	transport := flags.String("transport", or(os.Getenv("GOLIVE_TRANSPORT"), "auto"), "how to hear of work: stream, poll, or auto: polls where something on the way breaks streams")
	flags.DurationVar(&config.Trial, "trial", 2*time.Minute, "how long a new program of the agent has to be welcomed")
	level := flags.String("log-level", or(os.Getenv("GOLIVE_LOG_LEVEL"), "info"), "debug, info, warn or error")
	if err := flags.Parse(args); err != nil {
		return agent.Config{}, err
	}
	if flags.NArg() > 0 {
		return agent.Config{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	config.JoinToken = or(config.JoinToken, os.Getenv("GOLIVE_JOIN_TOKEN"))
	if *shimPath != "" {
		config.Shim = []string{*shimPath}
	}
	var err error
	if config.Transport, err = agent.ParseTransport(*transport); err != nil {
		return agent.Config{}, err
	}
	at, err := zapcore.ParseLevel(*level)
	if err != nil {
		return agent.Config{}, fmt.Errorf("log level: %w", err)
	}
	encoder := zap.NewProductionEncoderConfig()
	encoder.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	config.Logger = zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(encoder), zapcore.Lock(zapcore.AddSync(stderr)), at))
	return config, nil
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
