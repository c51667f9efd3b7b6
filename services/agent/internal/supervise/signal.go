package supervise

import "syscall"

const (
	stopSignal = syscall.SIGTERM
	killSignal = syscall.SIGKILL
)

func signalOf(n int) syscall.Signal { return syscall.Signal(n) }
