// Command golive is the control plane and its command line.
package main

import (
	"context"
	"os"

	"github.com/golive-dev/golive/pkg/run"
	"github.com/golive-dev/golive/services/cli"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := run.Signals(context.Background())
	code := cli.Main(ctx, version, os.Args[1:])
	stop()
	os.Exit(code)
}
