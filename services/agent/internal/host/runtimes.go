package host

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"github.com/golive-dev/golive/services/agent/internal/hook"
	"github.com/golive-dev/golive/services/agent/shim"
)

// programs are the runtimes that are looked for, with the argument that makes each tell its version.
var programs = map[string]string{ //nolint:gochecknoglobals // a constant that Go cannot say
	"dotnet": "--version", "java": "-version", "node": "--version", "php": "--version", "python3": "--version", "ruby": "--version",
}

const (
	// patience is how long a runtime may take to tell its version.
	patience = 5 * time.Second
	// keep is how long a version holds while its program looks the same: it may be a script that starts another.
	keep = 12 * time.Hour
)

// version is the first number with its parts.
var version = regexp.MustCompile(`[0-9]+(\.[0-9]+)*`) //nolint:gochecknoglobals // a constant that Go cannot say

// finding is what a program told.
type finding struct {
	Path     string    `json:"path"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Version  string    `json:"version"` // empty where it told none
	At       time.Time `json:"at"`
}

// findings are kept by the names of the runtimes.
type findings map[string]finding

func cacheFile(dir string) string { return filepath.Join(dir, "runtimes.json") }

// known reads what was found before.
func known(cache string) findings {
	found := findings{}
	if text, err := os.ReadFile(cacheFile(cache)); err == nil && json.Unmarshal(text, &found) != nil {
		return findings{}
	}
	return found
}

// versions returns those that hold still, and which programs have to be asked.
func (f findings) versions(now time.Time) (versions map[string]string, ask findings) {
	versions, ask = map[string]string{}, findings{}
	for name := range programs {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		before := f[name]
		if before.Path == path && before.Size == info.Size() && before.Modified.Equal(info.ModTime()) && now.Sub(before.At) < keep {
			if before.Version != "" {
				versions[name] = before.Version
			}
			continue
		}
		ask[name] = finding{Path: path, Size: info.Size(), Modified: info.ModTime(), At: now}
	}
	return versions, ask
}

// look asks the programs that are not known; not ok while another agent does. Agents of one
// user share what they found, so that many on a host do not all start each program.
func look(ctx context.Context, cache string) (versions map[string]string, ok bool) {
	found := known(cache)
	versions, ask := found.versions(time.Now())
	if len(ask) == 0 {
		return versions, true
	}
	if cache != "" && os.MkdirAll(cache, 0o700) == nil {
		lock, err := shim.Acquire(cache)
		if errors.Is(err, shim.ErrHeld) {
			return nil, false
		}
		if err == nil {
			defer func() { _ = lock.Close() }()
		}
	}
	for name, program := range ask {
		program.Version = tell(ctx, program.Path, programs[name])
		if ctx.Err() != nil {
			return versions, true
		}
		found[name] = program
		if program.Version != "" {
			versions[name] = program.Version
		}
	}
	if text, err := json.Marshal(found); err == nil && cache != "" {
		fresh := cacheFile(cache) + ".new"
		if os.WriteFile(fresh, text, 0o600) == nil {
			_ = os.Rename(fresh, cacheFile(cache)) // next time it is asked again
		}
	}
	return versions, true
}

// tell runs a program and returns the version that it tells; empty when it tells none.
func tell(ctx context.Context, path, argument string) string {
	var found string
	err := hook.Run(ctx, hook.Command{
		Argv: []string{path, argument}, Dir: "/", Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")},
		Marker: "golive-runtimes", Timeout: patience,
	}, func(line string) {
		if found == "" {
			found = version.FindString(line)
		}
	})
	if err != nil {
		return ""
	}
	return found
}
