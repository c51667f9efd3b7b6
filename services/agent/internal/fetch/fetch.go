// Package fetch brings bytes of a known digest and size over a bad network.
//
// What arrived stays in a file when the connection or the agent dies; the next
// try asks for the rest. The digest is computed as the bytes arrive. Only the
// network is retried, with full jitter, and only while bytes keep coming: a
// fetch that makes no progress for its patience is given up.
package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"
)

// Source opens the bytes from an offset on. An error that wraps ErrFinal is not tried again.
// The offset returned is where the bytes begin: a source may not be able to skip.
type Source interface {
	Open(ctx context.Context, offset int64) (body io.ReadCloser, begin int64, err error)
}

// The ways to fail.
var (
	ErrFinal  = errors.New("cannot be fetched")
	ErrStuck  = errors.New("no progress")
	ErrDigest = errors.New("digest mismatch")
	ErrSize   = errors.New("size mismatch")
)

// Retry is how long to wait between tries.
type Retry struct{ Min, Max time.Duration }

// Backoff draws the pause before a try, counted from 1: anything up to a
// doubling limit, so that a thousand agents do not come back at once.
func (r Retry) Backoff(try int) time.Duration {
	limit := min(r.Max, r.Min<<min(try-1, 20))
	return rand.N(limit) + time.Millisecond //nolint:gosec // spreads load, keeps no secret
}

// Want is what to fetch.
type Want struct {
	SHA256   string
	Size     int64 // 0 when it is not known
	MaxSize  int64
	Patience time.Duration // how long without a byte
}

// Fetch brings the bytes into a file, which it continues if it is there. A file
// whose content turns out wrong is removed. It returns the size.
func Fetch(ctx context.Context, src Source, path string, want Want, retry Retry) (int64, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	t := &transfer{src: src, file: f, want: want, buf: make([]byte, 64<<10)}
	if err := t.resume(); err != nil {
		return 0, err
	}
	resumed := t.at > 0
	err = t.fetch(ctx, retry)
	if resumed && (errors.Is(err, ErrDigest) || errors.Is(err, ErrSize)) {
		// What lay there may have been of other bytes: begin anew, once.
		if err = t.restart(); err == nil {
			err = t.fetch(ctx, retry)
		}
	}
	if errors.Is(err, ErrDigest) || errors.Is(err, ErrSize) {
		err = errors.Join(err, os.Remove(path))
	}
	return t.at, err
}

// transfer is one fetch at work.
type transfer struct {
	src  Source
	file *os.File
	want Want
	hash hash.Hash
	at   int64
	buf  []byte
}

// resume hashes what an earlier try left.
func (t *transfer) resume() error {
	t.hash = sha256.New()
	n, err := io.CopyBuffer(t.hash, struct{ io.Reader }{t.file}, t.buf)
	t.at = n
	if limit := t.limit(); n > limit {
		return t.restart()
	}
	return err
}

func (t *transfer) restart() error {
	t.hash, t.at = sha256.New(), 0
	_, err := t.file.Seek(0, io.SeekStart)
	return errors.Join(err, t.file.Truncate(0))
}

// limit is the most that may arrive.
func (t *transfer) limit() int64 {
	if t.want.Size > 0 {
		return t.want.Size
	}
	return t.want.MaxSize
}

func (t *transfer) fetch(ctx context.Context, retry Retry) error {
	if t.want.MaxSize > 0 && t.want.Size > t.want.MaxSize {
		return fmt.Errorf("%w: %d bytes are more than the %d this agent takes", ErrSize, t.want.Size, t.want.MaxSize)
	}
	progress := time.Now()
	for try := 1; ; try++ {
		before := t.at
		err := t.attempt(ctx, progress)
		if err == nil {
			return t.verify()
		}
		if final(err) {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if t.at > before {
			progress, try = time.Now(), 1
		}
		pause := retry.Backoff(try)
		if time.Since(progress)+pause > t.want.Patience {
			return fmt.Errorf("%w for %v: %w", ErrStuck, t.want.Patience, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// final tells errors that another try would only repeat: those of the source's word, of the content and of the disk.
func final(err error) bool {
	var disk *fs.PathError
	return errors.Is(err, ErrFinal) || errors.Is(err, ErrSize) || errors.As(err, &disk)
}

// attempt asks for the rest once. It is cut off when the patience ends that began at progress.
func (t *transfer) attempt(ctx context.Context, progress time.Time) error {
	if t.want.Size > 0 && t.at == t.want.Size {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(t.want.Patience-time.Since(progress), func() { cancel(ErrStuck) })
	defer watch.Stop()
	body, begin, err := t.src.Open(ctx, t.at)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	if begin != t.at {
		if begin != 0 {
			return fmt.Errorf("the source answers from byte %d instead of %d", begin, t.at)
		}
		if err := t.restart(); err != nil {
			return err
		}
	}
	for {
		n, err := body.Read(t.buf)
		if n > 0 {
			watch.Reset(t.want.Patience)
			if t.at+int64(n) > t.limit() {
				return fmt.Errorf("%w: more than %d bytes arrive", ErrSize, t.limit())
			}
			t.hash.Write(t.buf[:n])
			written, err := t.file.Write(t.buf[:n])
			t.at += int64(written)
			if err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *transfer) verify() error {
	if t.want.Size > 0 && t.at != t.want.Size {
		return fmt.Errorf("%w: %d bytes arrived instead of %d", ErrSize, t.at, t.want.Size)
	}
	if got := hex.EncodeToString(t.hash.Sum(nil)); got != t.want.SHA256 {
		return fmt.Errorf("%w: the bytes are %s instead of %s", ErrDigest, got, t.want.SHA256)
	}
	return nil
}
