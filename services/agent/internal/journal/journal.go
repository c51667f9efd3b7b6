// Package journal is an append-only file of records that survive the power.
//
// Each record is framed by its length and a CRC-32C. A crash can leave a torn
// frame only at the end, because a frame is written after those before it were
// synced or together with them; Open cuts it off. Appends that meet share one
// sync. Compact replaces the whole file by a snapshot.
package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// header is the length and the checksum before each record.
const header = 8

// MaxRecord bounds one record. A longer length is a torn frame.
const MaxRecord = 64 << 20

// Hook is called around each write to the file: before, and when it is durable.
// Tests end the process there.
type Hook func(stage Stage)

// Stage is a moment of a write.
type Stage int

// The stages.
const (
	BeforeWrite Stage = iota
	AfterSync
)

// Journal is an open journal.
type Journal struct {
	path string
	hook Hook

	mu      sync.Mutex
	idle    *sync.Cond // no batch is being written
	writing bool
	file    *os.File
	size    int64
	batch   *batch // what the next write takes
	err     error  // after a failed write nothing more is accepted
}

// batch is the records that one sync makes durable.
type batch struct {
	frames []byte
	done   chan struct{}
	err    error
}

// Open opens or creates a journal and calls replay with each record in order.
// It returns how many bytes of a torn end it cut off.
func Open(path string, hook Hook, replay func(record []byte) error) (j *Journal, torn int64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	good, err := read(f, replay)
	if err != nil {
		return nil, 0, fmt.Errorf("replay journal %s: %w", path, err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if torn = info.Size() - good; torn > 0 {
		if err := f.Truncate(good); err != nil {
			return nil, 0, err
		}
	}
	if _, err := f.Seek(good, io.SeekStart); err != nil {
		return nil, 0, err
	}
	if err := errors.Join(f.Sync(), SyncDir(filepath.Dir(path))); err != nil {
		return nil, 0, err
	}
	j = &Journal{path: path, hook: hook, file: f, size: good, batch: &batch{done: make(chan struct{})}}
	j.idle = sync.NewCond(&j.mu)
	return j, torn, nil
}

// read replays whole frames and returns where the last of them ends.
func read(f io.Reader, replay func([]byte) error) (good int64, err error) {
	in := bufio.NewReaderSize(f, 64<<10)
	var head [header]byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return good, unlessEOF(err)
		}
		length := binary.LittleEndian.Uint32(head[:])
		if length == 0 || length > MaxRecord {
			return good, nil
		}
		record := make([]byte, length)
		if _, err := io.ReadFull(in, record); err != nil {
			return good, unlessEOF(err)
		}
		if crc32.Checksum(record, crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(head[4:]) {
			return good, nil
		}
		if err := replay(record); err != nil {
			return good, err
		}
		good += header + int64(length)
	}
}

func unlessEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func frame(b, record []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(record))) //nolint:gosec // at most MaxRecord
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(record, crc32.MakeTable(crc32.Castagnoli)))
	return append(b, record...)
}

// Enqueue puts a record in line, in the order of the calls. The returned
// function waits until it is durable; whoever calls it first does the work.
func (j *Journal) Enqueue(record []byte) (wait func() error) {
	if len(record) == 0 || len(record) > MaxRecord {
		return func() error { return fmt.Errorf("a record of %d bytes does not fit the journal", len(record)) }
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	b := j.batch
	b.frames = frame(b.frames, record)
	return func() error { return j.flush(b) }
}

// flush makes a batch durable, or waits for whoever does.
func (j *Journal) flush(b *batch) error {
	j.mu.Lock()
	for j.writing && j.batch == b {
		j.idle.Wait()
	}
	if j.batch != b { // taken by another
		j.mu.Unlock()
		<-b.done
		return b.err
	}
	j.writing = true
	j.batch = &batch{done: make(chan struct{})}
	err := j.err
	j.mu.Unlock()

	if err == nil {
		err = j.write(b.frames)
	}

	j.mu.Lock()
	j.writing, j.err = false, err
	if err == nil {
		j.size += int64(len(b.frames))
	}
	b.err = err
	close(b.done)
	j.idle.Broadcast()
	j.mu.Unlock()
	return err
}

func (j *Journal) write(frames []byte) error {
	j.at(BeforeWrite)
	if _, err := j.file.Write(frames); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if err := datasync(j.file); err != nil {
		return fmt.Errorf("sync journal: %w", err)
	}
	j.at(AfterSync)
	return nil
}

func (j *Journal) at(stage Stage) {
	if j.hook != nil {
		j.hook(stage)
	}
}

// Size returns how long the file is.
func (j *Journal) Size() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.size
}

// Compact replaces all records, those in line included, by these. The caller
// keeps others from enqueuing meanwhile, so that the snapshot misses nothing.
func (j *Journal) Compact(records [][]byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.writing {
		j.idle.Wait()
	}
	if j.err != nil {
		return j.err
	}
	var frames []byte
	for _, record := range records {
		frames = frame(frames, record)
	}
	fresh, err := os.OpenFile(j.path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("compact journal: %w", err)
	}
	_, err = fresh.Write(frames)
	err = errors.Join(err, fresh.Sync())
	if err == nil {
		err = errors.Join(os.Rename(j.path+".new", j.path), SyncDir(filepath.Dir(j.path)))
	}
	if err != nil {
		return fmt.Errorf("compact journal: %w", errors.Join(err, fresh.Close()))
	}
	_ = j.file.Close()
	j.file, j.size = fresh, int64(len(frames))
	taken := j.batch
	j.batch = &batch{done: make(chan struct{})}
	close(taken.done)
	return nil
}

// Close closes the file. What was not waited for may be lost.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.writing {
		j.idle.Wait()
	}
	j.err = os.ErrClosed
	return j.file.Close()
}

// SyncDir makes the names in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return syncDir(d)
}
