package shim

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
)

// slack is how far a file may grow beyond its limit to end with a whole line.
const slack = 64 << 10

// ring is a file of limited size with a number of predecessors: path, path.1, path.2 …
// A line is never cut in two by the change, unless it is longer than slack.
type ring struct {
	path  string
	limit int64
	files int // with the newest
	file  *os.File
	size  int64
	whole bool // it ends with a line
}

func openRing(path string, limit int64, files int) (*ring, error) {
	r := &ring{path: path, limit: limit, files: max(files, 2)}
	return r, r.open()
}

func (r *ring) open() (err error) {
	if r.file, err = os.OpenFile(r.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return err
	}
	r.size, r.whole = 0, true
	if info, err := r.file.Stat(); err == nil {
		r.size, r.whole = info.Size(), info.Size() == 0
	}
	return nil
}

// write appends output. What cannot be written is lost: a full disk must not stop the application.
func (r *ring) write(p []byte) {
	if r.size+int64(len(p)) > r.limit {
		end := bytes.LastIndexByte(p[:max(0, min(int64(len(p)), r.limit-r.size))], '\n') + 1
		if end == 0 && !r.whole { // the line that was begun is finished where it was begun
			end = bytes.IndexByte(p, '\n') + 1
			if end == 0 && r.size < r.limit+slack {
				r.append(p)
				return
			}
		}
		r.append(p[:end])
		p = p[end:]
		if !r.rotate() {
			return
		}
	}
	r.append(p)
}

func (r *ring) append(p []byte) {
	if len(p) > 0 {
		n, _ := r.file.Write(p)
		r.size += int64(n)
		r.whole = p[len(p)-1] == '\n'
	}
}

// rotate begins a new file; the oldest goes. Where that fails the file is begun anew when it can be.
func (r *ring) rotate() bool {
	_ = r.file.Close()
	for i := r.files - 1; i > 0; i-- {
		if err := os.Rename(r.name(i-1), r.name(i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return r.open() == nil
}

func (r *ring) name(i int) string {
	if i == 0 {
		return r.path
	}
	return r.path + "." + strconv.Itoa(i)
}
