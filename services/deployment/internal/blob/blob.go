// Package blob keeps uploaded artifacts under the SHA-256 of their bytes.
//
// A blob belongs to one workspace, named workspaces/{workspace} throughout: the same bytes uploaded in two workspaces are
// two blobs, so that knowing a digest opens nothing. What is stored was hashed on
// its way in; an upload that is cut off, too large, empty, or not what its
// sender said leaves nothing behind. Once [Store.Put] returns, the bytes are on disk.
package blob

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file:///folder
	_ "gocloud.dev/blob/memblob"  // mem://
	"gocloud.dev/gcerrors"

	"github.com/golive-dev/golive/pkg/fault"
)

// DefaultMaxBytes is how large a blob may be when the operator says nothing.
const DefaultMaxBytes = 2 << 30

const (
	uploads   = "uploads/"     // blobs whose digest is not known before they end
	abandoned = 24 * time.Hour // what is older and not finished is of a process that died
)

// Config says where blobs are; URL is required.
type Config struct {
	// URL is a bucket: file:///folder, or what else gocloud.dev/blob knows.
	URL string
	// MaxBytes bounds one blob; DefaultMaxBytes when 0.
	MaxBytes int64
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Info describes a blob.
type Info struct {
	// SHA256 is in lower-case hexadecimal.
	SHA256  string
	Size    int64
	Created time.Time
}

// Store is the blobs of all workspaces. It is safe for concurrent use.
type Store struct {
	bucket *blob.Bucket
	max    int64
	now    func() time.Time
}

// FolderURL is the URL of a folder on this host. A relative one is below the working directory of now.
func FolderURL(dir string) string {
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	return "file://" + filepath.ToSlash(dir)
}

// Open opens the bucket. A folder is created when absent, for its owner alone.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	url := cfg.URL
	if folder, ok := strings.CutPrefix(url, "file://"); ok && !strings.Contains(folder, "?") {
		if err := os.MkdirAll(filepath.FromSlash(folder), 0o700); err != nil {
			return nil, fmt.Errorf("blob folder: %w", err)
		}
		// Next to their final place, so that the rename stays inside one file system.
		url += "?metadata=skip&no_tmp_dir=1&dir_file_mode=0700"
	}
	bucket, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	s := &Store{bucket: bucket, max: cfg.MaxBytes, now: cfg.Now}
	if s.max <= 0 {
		s.max = DefaultMaxBytes
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Close waits for nobody: end the calls first.
func (s *Store) Close() error { return s.bucket.Close() }

// key spreads blobs over folders, because some file systems dislike large ones.
func key(workspace, sha256 string) string { return workspace + "/blobs/" + sha256[:2] + "/" + sha256 }

// Stat describes a blob, or answers BLOB_NOT_FOUND.
func (s *Store) Stat(ctx context.Context, workspace, sha256 string) (Info, error) {
	if !isDigest(sha256) {
		return Info{}, notFound(workspace, sha256)
	}
	attributes, err := s.bucket.Attributes(ctx, key(workspace, sha256))
	if gcerrors.Code(err) == gcerrors.NotFound {
		return Info{}, notFound(workspace, sha256)
	}
	if err != nil {
		return Info{}, fmt.Errorf("look at blob %s: %w", sha256, err)
	}
	return Info{SHA256: sha256, Size: attributes.Size, Created: attributes.ModTime}, nil
}

// Read opens a blob at an offset; at its end there is nothing more to read.
// Errors: BLOB_NOT_FOUND, OFFSET_OUT_OF_RANGE.
func (s *Store) Read(ctx context.Context, workspace, sha256 string, offset int64) (io.ReadCloser, error) {
	info, err := s.Stat(ctx, workspace, sha256)
	if err != nil {
		return nil, err
	}
	if offset < 0 || offset > info.Size {
		return nil, fault.Invalid("OFFSET_OUT_OF_RANGE", "offset %d is outside of blob %s, which has %d bytes; begin again at 0",
			offset, sha256, info.Size).Field("offset", "is outside of the blob")
	}
	reader, err := s.bucket.NewRangeReader(ctx, key(workspace, sha256), offset, -1, nil)
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", sha256, err)
	}
	return reader, nil
}

// Sweep removes what uploads left behind whose process died. It looks at every
// name, so call it seldom.
func (s *Store) Sweep(ctx context.Context) error {
	names := s.bucket.List(nil)
	for {
		found, err := names.Next(ctx)
		if err == io.EOF { //nolint:errorlint // the iterator's documented end, never wrapped
			return nil
		}
		if err != nil {
			return fmt.Errorf("list blobs: %w", err)
		}
		unfinished := strings.HasPrefix(found.Key, uploads) || strings.HasSuffix(found.Key, ".tmp")
		if !unfinished || s.now().Sub(found.ModTime) < abandoned {
			continue
		}
		if err := s.bucket.Delete(ctx, found.Key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return fmt.Errorf("remove unfinished upload %s: %w", found.Key, err)
		}
	}
}

func notFound(workspace, sha256 string) error {
	return fault.NotFound("BLOB_NOT_FOUND", "%s has no blob %q; upload it first", workspace, sha256).
		Meta("resource", workspace+"/blobs/"+sha256)
}

func isDigest(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}
