package proc

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// The numbers are the same on every architecture.
const (
	sysPidfdSendSignal = 424
	sysPidfdOpen       = 434
)

// Process is a running process, a child or not.
type Process struct {
	pid   int
	child bool
	pidfd *os.File
}

func start(argv []string, attr Attr) (*Process, error) {
	files, null, err := stdio(attr.Files)
	if err != nil {
		return nil, err
	}
	defer func() { _ = null.Close() }()
	fds := make([]uintptr, len(files))
	for i, f := range files {
		fds[i] = blockingFD(f)
	}
	pidfd := -1
	sys := &syscall.SysProcAttr{Setsid: true, PidFD: &pidfd}
	if attr.DieWithParent {
		sys.Pdeathsig = syscall.SIGKILL
	}
	if attr.Group != nil {
		sys.UseCgroupFD, sys.CgroupFD = true, int(attr.Group.Fd())
	}
	pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{Dir: attr.Dir, Env: attr.Env, Files: fds, Sys: sys}) //nolint:gosec // to start what it is told is its purpose
	if err != nil {
		return nil, &os.PathError{Op: "start", Path: argv[0], Err: err}
	}
	p := &Process{pid: pid, child: true}
	if p.pidfd, err = pollable(pidfd); err != nil {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		_, _ = syscall.Wait4(pid, nil, 0, nil)
		return nil, err
	}
	return p, nil
}

// blockingFD returns the descriptor without taking it out of the poller, which File.Fd would.
func blockingFD(f *os.File) (fd uintptr) {
	conn, err := f.SyscallConn()
	if err != nil {
		return f.Fd()
	}
	_ = conn.Control(func(n uintptr) { fd = n })
	return fd
}

func pollable(pidfd int) (*os.File, error) {
	if pidfd < 0 {
		return nil, errors.New("the kernel gives no pidfd; Linux 5.4 or later is needed")
	}
	if err := syscall.SetNonblock(pidfd, true); err != nil {
		_ = syscall.Close(pidfd)
		return nil, os.NewSyscallError("set pidfd non-blocking", err)
	}
	return os.NewFile(uintptr(pidfd), "pidfd"), nil
}

// Open takes hold of a process that somebody else started. ErrGone when it has ended.
func Open(id ID) (*Process, error) {
	fd, _, errno := syscall.Syscall(sysPidfdOpen, uintptr(id.PID), 0, 0)
	if errno == syscall.ESRCH || errno == syscall.EINVAL {
		return nil, ErrGone
	}
	if errno != 0 {
		return nil, os.NewSyscallError("pidfd_open", errno)
	}
	f, err := pollable(int(fd))
	if err != nil {
		return nil, err
	}
	// Only now, with the pidfd in hand, does the check hold.
	if !id.Alive() {
		_ = f.Close()
		return nil, ErrGone
	}
	return &Process{pid: id.PID, pidfd: f}, nil
}

// PID returns the number of the process, which is its group's too if Start started it.
func (p *Process) PID() int { return p.pid }

// Wait waits for the end and, of a child, reaps it. How a process that is not a
// child ended cannot be known. After Close the error is os.ErrClosed.
func (p *Process) Wait() (Exit, error) {
	conn, err := p.pidfd.SyscallConn()
	if err != nil {
		return Exit{}, err
	}
	exit, done := Exit{Code: -1}, false
	err = conn.Read(func(fd uintptr) bool {
		if p.child {
			done = p.reap(&exit)
		} else {
			done = readable(int(fd))
		}
		return done
	})
	if err != nil && !done {
		return Exit{}, err
	}
	return exit, nil
}

// reap returns whether the child has ended, and how.
func (p *Process) reap(exit *Exit) bool {
	var status syscall.WaitStatus
	for {
		pid, err := syscall.Wait4(p.pid, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil { // somebody else reaped it
			return true
		}
		if pid == 0 {
			return false
		}
		if status.Signaled() {
			exit.Signal = int(status.Signal())
		} else {
			exit.Code = status.ExitStatus()
		}
		return true
	}
}

// readable polls a pidfd without waiting: it is readable once its process has ended, reaped or not.
func readable(fd int) bool {
	const pollIn = 1
	set := struct {
		fd              int32
		events, revents int16
	}{fd: int32(fd), events: pollIn} //nolint:gosec // a descriptor
	n, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&set)), 1,
		uintptr(unsafe.Pointer(&syscall.Timespec{})), 0, 0, 0)
	return errno == 0 && n > 0
}

// Signal sends a signal to the process alone. ErrGone when it has ended.
func (p *Process) Signal(sig syscall.Signal) error {
	conn, err := p.pidfd.SyscallConn()
	if err != nil {
		return err
	}
	var errno syscall.Errno
	err = conn.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall6(sysPidfdSendSignal, fd, uintptr(sig), 0, 0, 0, 0)
	})
	if err != nil {
		return err
	}
	if errno == syscall.ESRCH {
		return ErrGone
	}
	if errno != 0 {
		return os.NewSyscallError("pidfd_send_signal", errno)
	}
	return nil
}

// Close lets the process go, and ends Wait.
func (p *Process) Close() error { return p.pidfd.Close() }

// SignalGroup signals all of a group. A group that is gone is no error.
func SignalGroup(pid int, sig syscall.Signal) error {
	if err := syscall.Kill(-pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return os.NewSyscallError("kill", err)
	}
	return nil
}

// KillGroup ends all of the group that a process led, unless its number is another's by now.
func KillGroup(id ID) {
	// While a group has members its number is not given out again: either the leader
	// is ours, or it is gone and what is left in the group is ours.
	if now, err := Identify(id.PID); err == nil && now != id {
		return
	}
	if id.PID > 1 && id.Boot == BootID() {
		_ = SignalGroup(id.PID, syscall.SIGKILL)
	}
}

// Identify returns the identity of a process that runs now. ErrGone when there is none.
func Identify(pid int) (ID, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ID{}, ErrGone
	}
	// The name in brackets may hold anything; what follows its last bracket is regular.
	field := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(field) < 20 || field[0][0] == 'Z' || field[0][0] == 'X' {
		return ID{}, ErrGone
	}
	start, err := strconv.ParseUint(string(field[19]), 10, 64)
	if err != nil {
		return ID{}, err
	}
	return ID{PID: pid, Start: start, Boot: BootID()}, nil
}

// Alive tells whether this very process runs.
func (id ID) Alive() bool {
	now, err := Identify(id.PID)
	return err == nil && now == id
}

// Held tells whether a signal keeps this very process from running on (SIGSTOP).
func (id ID) Held() bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(id.PID) + "/stat")
	if err != nil {
		return false
	}
	field := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	return len(field) > 0 && field[0][0] == 'T' && id.Alive()
}

// BootID names the boot of this machine.
func BootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// Find returns the processes whose environment carries Marker with this value,
// as far as this user may see them. It reads all of /proc: for emergencies.
func Find(marker string) []ID {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	want := []byte("\x00" + Marker + "=" + marker + "\x00")
	var found []ID
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || !bytes.Contains(append([]byte{0}, environ("/proc/"+entry.Name())...), want) {
			continue
		}
		if id, err := Identify(pid); err == nil {
			found = append(found, id)
		}
	}
	return found
}

// environ reads the environment of a process. In the middle of an exec it is
// empty for a moment, although there is a program (kernel threads have none).
func environ(dir string) []byte {
	const tries, pause = 10, 2 * time.Millisecond
	for range tries {
		env, err := os.ReadFile(dir + "/environ")
		if err != nil || len(env) > 0 {
			return env
		}
		if _, err := os.Readlink(dir + "/exe"); err != nil {
			return nil
		}
		<-time.After(pause)
	}
	return nil
}

func busy(err error) bool { return errors.Is(err, syscall.ETXTBSY) }
