package content

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/golive-dev/golive/services/agent/internal/archive"
)

// maxFindings is how many changes are named; more say no more.
const maxFindings = 3

// entry is one file of a release as it was unpacked. A file's size, mode and time show a change
// without it being read; its sum shows one that was hidden.
type entry struct {
	path  string
	size  int64
	mode  fs.FileMode
	mtime int64 // nanoseconds
	sum   [sha256.Size]byte
}

func (s *Store) manifest(sum string) string {
	return filepath.Join(s.layout.Manifests(), sum)
}

// remember writes down what was unpacked into a folder. It is not synced: a manifest that is
// not there or not whole after a power cut finds no changes, and the next unpacking writes it anew.
func (s *Store) remember(sum, dir string, stats archive.Stats) error {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(stats.Sums)) {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		content := stats.Sums[name]
		_, _ = fmt.Fprintf(&b, "%d %o %d %s %q\n", info.Size(), info.Mode(), info.ModTime().UnixNano(), hex.EncodeToString(content[:]), name)
	}
	_, _ = fmt.Fprintf(&b, "end %d\n", len(stats.Sums))
	path := s.manifest(sum)
	if err := os.WriteFile(path+".new", b.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// read reads a manifest; none where there is none that is whole.
func (s *Store) read(sum string) []entry {
	f, err := os.Open(s.manifest(sum))
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	var entries []entry
	in := bufio.NewScanner(f)
	in.Buffer(nil, 64<<10)
	for in.Scan() {
		line := in.Text()
		if line == "end "+strconv.Itoa(len(entries)) {
			return entries
		}
		e, ok := parse(line)
		if !ok {
			return nil
		}
		entries = append(entries, e)
	}
	return nil
}

func parse(line string) (e entry, ok bool) {
	const fields = 5
	part := strings.SplitN(line, " ", fields)
	if len(part) != fields {
		return e, false
	}
	size, sizeErr := strconv.ParseInt(part[0], 10, 64)
	mode, modeErr := strconv.ParseUint(part[1], 8, 32)
	mtime, timeErr := strconv.ParseInt(part[2], 10, 64)
	n, sumErr := hex.Decode(e.sum[:], []byte(part[3])[:min(len(part[3]), 2*sha256.Size)])
	path, pathErr := strconv.Unquote(part[4])
	e.size, e.mode, e.mtime, e.path = size, fs.FileMode(mode), mtime, path
	return e, n == sha256.Size && errors.Join(sizeErr, modeErr, timeErr, sumErr, pathErr) == nil
}

// Verify compares a release with what was unpacked, deep by reading all of it. It names what was
// changed or is gone. What was added is not told: runtimes put caches beside what they run.
//
// That a release is changed is written down until a look finds it right again. What only reading
// showed, only reading clears.
func (s *Store) Verify(ctx context.Context, sum string, deep bool) (changes []string, err error) {
	found := s.found(sum)
	deep = deep || found == byReading
	buf := make([]byte, 0)
	if deep {
		buf = make([]byte, 128<<10)
	}
	for _, e := range s.read(sum) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		why, err := e.changed(filepath.Join(s.Path(sum), e.path), deep, buf)
		if err != nil {
			return nil, err
		}
		if why == "" {
			continue
		}
		if changes = append(changes, e.path+" "+why); len(changes) == maxFindings {
			break
		}
	}
	switch {
	case len(changes) == 0 && found != "":
		return nil, os.Remove(s.spoiled(sum))
	case len(changes) > 0 && found == "":
		how := byLooking
		if deep {
			how = byReading
		}
		return changes, os.WriteFile(s.spoiled(sum), []byte(how), 0o600)
	}
	return changes, nil
}

// How a change was found.
const (
	byLooking = "looking"
	byReading = "reading"
)

func (s *Store) spoiled(sum string) string { return s.manifest(sum) + ".spoiled" }

// found says how a release was found to be changed; empty where it was not.
func (s *Store) found(sum string) string {
	how, err := os.ReadFile(s.spoiled(sum))
	if err != nil {
		return ""
	}
	return string(how)
}

// forget removes what is known of a release.
func (s *Store) forget(sum string) error {
	var failed error
	for _, path := range []string{s.manifest(sum), s.spoiled(sum)} {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func (e *entry) changed(path string, deep bool, buf []byte) (why string, err error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "is gone", nil
	case err != nil:
		return "", err
	case info.Mode() != e.mode:
		return fmt.Sprintf("has mode %v instead of %v", info.Mode(), e.mode), nil
	case info.Size() != e.size || info.ModTime().UnixNano() != e.mtime:
		return "was changed", nil
	case !deep:
		return "", nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.CopyBuffer(sum, struct{ io.Reader }{f}, buf); err != nil {
		return "", err
	}
	if [sha256.Size]byte(sum.Sum(nil)) != e.sum {
		return "was changed, and its time set back", nil
	}
	return "", nil
}
