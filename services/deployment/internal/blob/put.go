package blob

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"gocloud.dev/blob"

	"github.com/golive-dev/golive/pkg/fault"
)

// Put stores what r gives, and keeps nothing of it when r fails, is empty or
// too large, or when its SHA-256 is not want (not checked when want is empty).
// Bytes that are there already are checked all the same but not stored again.
// Errors: DIGEST_MISMATCH, BLOB_TOO_LARGE, BLOB_EMPTY, BLOB_STORE_FULL.
func (s *Store) Put(ctx context.Context, workspace, want string, r io.Reader) (Info, error) {
	if want != "" {
		if !isDigest(want) {
			return Info{}, fault.Invalid("DIGEST_INVALID", "sha256 is no digest; write 64 lower-case hexadecimal digits").Field("sha256", "is no SHA-256")
		}
		if known, err := s.Stat(ctx, workspace, want); err == nil {
			_, _, err = s.receive(io.Discard, r, want)
			return known, err
		} else if !fault.Is(err, fault.KindNotFound) {
			return Info{}, err
		}
		return s.put(ctx, workspace, key(workspace, want), want, r)
	}
	return s.put(ctx, workspace, uploads+rand.Text(), "", r)
}

func (s *Store) put(ctx context.Context, workspace, name, want string, r io.Reader) (Info, error) {
	w, err := s.create(ctx, name)
	if err != nil {
		return Info{}, err
	}
	digest, size, err := s.receive(w, r, want)
	if err != nil {
		w.abort()
		return Info{}, err
	}
	if err := w.commit(); err != nil {
		return Info{}, fmt.Errorf("store blob %s: %w", digest, full(err))
	}
	if want == "" {
		if err := s.settle(ctx, name, workspace, digest); err != nil {
			return Info{}, err
		}
	}
	info, err := s.Stat(ctx, workspace, digest)
	if err == nil && info.Size != size {
		err = fmt.Errorf("blob %s has %d bytes after %d were stored", digest, info.Size, size)
	}
	return info, err
}

// settle gives an upload the name that its bytes turned out to have.
func (s *Store) settle(ctx context.Context, from, workspace, digest string) error {
	to := key(workspace, digest)
	known, err := s.bucket.Exists(ctx, to)
	if err == nil && !known {
		var target *os.File
		err = s.bucket.Copy(ctx, to, from, &blob.CopyOptions{BeforeCopy: func(as func(any) bool) error {
			as(&target)
			return nil
		}})
		if err == nil && target != nil {
			err = syncName(filepath.Dir(target.Name()), digest)
		}
	}
	if err := errors.Join(err, s.bucket.Delete(context.WithoutCancel(ctx), from)); err != nil {
		return fmt.Errorf("store blob %s: %w", digest, full(err))
	}
	return nil
}

// receive copies r to w and says what came.
func (s *Store) receive(w io.Writer, r io.Reader, want string) (digest string, size int64, err error) {
	hash := sha256.New()
	size, err = io.Copy(io.MultiWriter(hash, w), io.LimitReader(r, s.max+1))
	digest = hex.EncodeToString(hash.Sum(nil))
	switch {
	case err != nil:
		err = fmt.Errorf("receive blob: %w", full(err))
	case size > s.max:
		err = fault.Invalid("BLOB_TOO_LARGE",
			"a blob may have at most %d bytes and this one has more; make it smaller, or raise the server's limit", s.max).
			Meta("max_bytes", fmt.Sprint(s.max))
	case size == 0:
		err = fault.Invalid("BLOB_EMPTY", "the upload has no bytes; check the file that was sent")
	case want != "" && digest != want:
		err = fault.Invalid("DIGEST_MISMATCH",
			"the bytes that arrived have SHA-256 %s, not %s; build or send the artifact again", digest, want).
			Meta("sha256", digest).Field("sha256", "is not the digest of the bytes")
	}
	return digest, size, err
}

// writer is a blob that does not exist until commit.
type writer struct {
	*blob.Writer
	cancel context.CancelFunc
	file   *os.File // below Writer where the bucket is a folder
}

func (s *Store) create(ctx context.Context, name string) (*writer, error) {
	w := &writer{}
	ctx, w.cancel = context.WithCancel(ctx)
	var err error
	w.Writer, err = s.bucket.NewWriter(ctx, name, &blob.WriterOptions{
		ContentType: "application/octet-stream", // known, so that nothing is held back to guess it
		BeforeWrite: func(as func(any) bool) error {
			as(&w.file)
			return nil
		},
	})
	if err != nil {
		w.cancel()
		return nil, fmt.Errorf("store blob: %w", full(err))
	}
	return w, nil
}

// commit makes the blob appear, with its bytes and its name on disk.
func (w *writer) commit() error {
	defer w.cancel()
	if w.file == nil {
		return w.Close()
	}
	if err := w.file.Sync(); err != nil {
		w.abort()
		return err
	}
	folder := filepath.Dir(w.file.Name())
	if err := w.Close(); err != nil {
		return err
	}
	return syncFile(folder)
}

func (w *writer) abort() {
	w.cancel()
	_ = w.Close() // says that it was cancelled
}

func syncName(folder, name string) error {
	return errors.Join(syncFile(filepath.Join(folder, name)), syncFile(folder))
}

func syncFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// full says so where the disk is.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fault.Exhausted("BLOB_STORE_FULL", "the server has no room for more blobs; free some, or give it more").Cause(err)
	}
	return err
}
