// Command golive-shim keeps one application running; golive-agent starts it.
package main

import (
	"os"

	"github.com/golive-dev/golive/services/agent/shim"
)

func main() { os.Exit(shim.Main(os.Args[1:], os.Stderr)) }
