package host

import (
	"golang.org/x/sys/unix"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

func fill(f *deploymentv1.HostFacts, dir string) {
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		f.OsVersion = unix.ByteSliceToString(name.Release[:])
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		f.MemoryBytes = int64(info.Totalram) * int64(info.Unit) //nolint:gosec // the field's width differs by architecture
	}
	var disk unix.Statfs_t
	if unix.Statfs(dir, &disk) == nil {
		f.DiskFreeBytes = int64(disk.Bavail) * int64(disk.Bsize) //nolint:gosec,unconvert // the field's width differs by architecture
	}
}
