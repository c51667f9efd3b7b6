// Package layout knows where an agent keeps what, below one folder.
//
//	identity.pem                  who the agent is; 0600
//	journal                       what it did
//	agent.sock                    where shims call
//	trusted-keys/<application>.pub  whose signatures count here, put there by hand
//	downloads/<sha256>.part       archives on their way
//	releases/<sha256>/            unpacked, read-only, shared by all targets
//	manifests/<sha256>            what a release was when it was unpacked
//	targets/<environment>.<target>/<application>/
//	    instances/<n>/            one release made ready here:
//	        release → ../../…     its files
//	        config/               its rendered configuration
//	        run/                  its shim
//	    current → instances/<n>   the instance that is live
//	    shared/                   the application's own; never touched
//	    logs/<n>.{out,err}        its output
//	    forward/                  the forwarder, where two versions run side by side
package layout

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Layout is the folder of one agent.
type Layout struct{ root string }

// Open makes the folders of an agent. Only its user may look into them.
func Open(root string) (Layout, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return Layout{}, err
	}
	l := Layout{root: root}
	for _, dir := range []string{root, l.Downloads(), l.Releases(), l.Manifests(), filepath.Join(root, "targets")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return Layout{}, err
		}
	}
	return l, nil
}

// Root returns the folder.
func (l Layout) Root() string { return l.root }

// Name returns a name for the folder that no other folder of the host has, and that is one segment of a path.
func (l Layout) Name() string {
	sum := sha256.Sum256([]byte(l.root))
	return "golive-" + hex.EncodeToString(sum[:8])
}

// Identity returns the file of the identity.
func (l Layout) Identity() string { return filepath.Join(l.root, "identity.pem") }

// Journal returns the file of the journal.
func (l Layout) Journal() string { return filepath.Join(l.root, "journal") }

// Lock returns the file that keeps a second agent out.
func (l Layout) Lock() string { return filepath.Join(l.root, "lock") }

// Socket returns the socket of the shims.
func (l Layout) Socket() string { return filepath.Join(l.root, "agent.sock") }

// TrustedKeys returns the file of the keys that sign an application's releases, which a person puts there by hand.
func (l Layout) TrustedKeys(application string) string {
	return filepath.Join(l.root, "trusted-keys", filepath.Base(application)+".pub")
}

// Downloads returns the folder of archives on their way.
func (l Layout) Downloads() string { return filepath.Join(l.root, "downloads") }

// Releases returns the folder of unpacked releases.
func (l Layout) Releases() string { return filepath.Join(l.root, "releases") }

// Manifests returns the folder of the manifests of unpacked releases.
func (l Layout) Manifests() string { return filepath.Join(l.root, "manifests") }

// Place is the folder of one application on one target.
type Place struct{ dir string }

// Place returns the folder for full resource names. Names that are not of the
// contract's form are refused: they become names of folders.
func (l Layout) Place(target, application string) (Place, error) {
	t, a := strings.Split(target, "/"), strings.Split(application, "/")
	if len(t) != 6 || t[0] != "workspaces" || t[2] != "environments" || t[4] != "targets" ||
		len(a) != 4 || a[0] != "workspaces" || a[1] != t[1] || a[2] != "applications" ||
		!plain(t[3]) || !plain(t[5]) || !plain(a[3]) {
		return Place{}, fmt.Errorf("%q on %q does not name an application on a target of one workspace", application, target)
	}
	// Identifiers hold no full stop, so that the pair is unique.
	return Place{dir: filepath.Join(l.root, "targets", t[3]+"."+t[5], a[3])}, nil
}

func plain(id string) bool {
	for _, c := range id {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return id != "" && len(id) <= 63 && id[0] != '-'
}

// Make makes the folders of the place.
func (p Place) Make() error {
	for _, dir := range []string{p.instances(), p.Shared(), p.logs()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}

func (p Place) instances() string { return filepath.Join(p.dir, "instances") }

func (p Place) logs() string { return filepath.Join(p.dir, "logs") }

// Shared returns the folder that the application keeps over releases.
func (p Place) Shared() string { return filepath.Join(p.dir, "shared") }

// Instance returns the folder of an instance.
func (p Place) Instance(n int) string { return filepath.Join(p.instances(), strconv.Itoa(n)) }

// Name returns a name for an instance that no other of the agent has, and that is one segment of a path.
func (p Place) Name(n int) string {
	return filepath.Base(filepath.Dir(p.dir)) + "." + filepath.Base(p.dir) + "." + strconv.Itoa(n)
}

// Run returns the folder of an instance's shim.
func (p Place) Run(n int) string { return filepath.Join(p.Instance(n), "run") }

// Config returns the folder of an instance's rendered configuration.
func (p Place) Config(n int) string { return filepath.Join(p.Instance(n), "config") }

// Stdout and Stderr return the files of an instance's output.
func (p Place) Stdout(n int) string { return filepath.Join(p.logs(), strconv.Itoa(n)+".out") }

// Stderr returns the file of an instance's errors.
func (p Place) Stderr(n int) string { return filepath.Join(p.logs(), strconv.Itoa(n)+".err") }

// Forward returns the folder of the place's forwarder.
func (p Place) Forward() string { return filepath.Join(p.dir, "forward") }

// ForwardLog returns the file of what the forwarder has to say.
func (p Place) ForwardLog() string { return filepath.Join(p.logs(), "forward.log") }

// Switch makes an instance current by one rename; 0 makes none current. It is
// not synced: an agent that starts sets it again from its journal.
func (p Place) Switch(n int) error {
	current := filepath.Join(p.dir, "current")
	if n == 0 {
		if err := os.Remove(current); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	to := filepath.Join("instances", strconv.Itoa(n))
	if is, err := os.Readlink(current); err == nil && is == to {
		return nil
	}
	fresh := current + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(to, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, current)
}

// Points tells whether the instance is current: 0 for none.
func (p Place) Points(n int) bool {
	to, err := os.Readlink(filepath.Join(p.dir, "current"))
	if n == 0 {
		return errors.Is(err, fs.ErrNotExist)
	}
	return err == nil && to == filepath.Join("instances", strconv.Itoa(n))
}

// Current returns the instance that is current, or 0.
func (p Place) Current() int {
	to, err := os.Readlink(filepath.Join(p.dir, "current"))
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(filepath.Base(to))
	return n
}

// Instances returns the numbers of the instances that have a folder.
func (p Place) Instances() ([]int, error) {
	entries, err := os.ReadDir(p.instances())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var numbers []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers, err
}

// Remove removes an instance that is not running, with its output.
func (p Place) Remove(n int) error {
	err := RemoveTree(p.Instance(n))
	for _, path := range []string{p.Stdout(n), p.Stderr(n)} {
		older, _ := filepath.Glob(path + ".*") // only a bad pattern fails
		for _, file := range append(older, path) {
			err = errors.Join(err, ignoreMissing(os.Remove(file)))
		}
	}
	return err
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// RemoveTree removes a folder whose folders may be read-only.
func RemoveTree(dir string) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, 0o700) //nolint:gosec // a folder needs its x
		}
		return err
	})
	return errors.Join(ignoreMissing(err), os.RemoveAll(dir))
}
