// Package archive unpacks tar and zip archives that nobody needs to trust.
//
// All writing goes through an os.Root, so that no name and no link leads out of
// the folder; links out are refused besides, because the application would
// follow them later. Only folders, regular files and relative symbolic links
// are made: no hard links, no devices, no set-user-id bits. Size, count and
// expansion are limited while reading, not after.
package archive

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Format is how an archive is compressed.
type Format int

// The formats.
const (
	TarGz Format = iota + 1
	TarZst
	Zip
)

// Limits bound what an archive may become. Zero values are replaced by Defaults.
type Limits struct {
	Bytes   int64 // of all files together
	Entries int
	Ratio   int64 // unpacked to packed, beyond the first RatioFloor bytes
	Depth   int   // of folders
}

// ratioFloor is how much may be unpacked before the ratio counts: small archives of zeros are harmless.
const ratioFloor = 64 << 20

// Defaults returns the limits that hold where nothing else is said.
func Defaults() Limits { return Limits{Bytes: 8 << 30, Entries: 200_000, Ratio: 200, Depth: 64} }

// ErrUnsafe says that an archive tries something that no release needs.
var ErrUnsafe = errors.New("unsafe archive")

// ErrInvalid says that an archive is damaged or not of its format.
var ErrInvalid = errors.New("invalid archive")

// Stats is what was unpacked.
type Stats struct {
	Files int
	Bytes int64
	// Sums are the SHA-256 of the files by their names, taken as they were written.
	Sums map[string][sha256.Size]byte
}

// Modes that unpacked content has: the owner's execute bit decides, and nobody
// writes, because all targets of an agent share it.
const (
	fileMode    = 0o444
	programMode = 0o555
	folderMode  = 0o755
)

// Source is an archive's bytes: a tar archive is read from front to back, a zip archive from its end.
type Source interface {
	io.Reader
	io.ReaderAt
}

// Unpack reads an archive of a packed size into an empty folder.
func Unpack(ctx context.Context, in Source, packed int64, format Format, root *os.Root, limits Limits) (Stats, error) {
	u := &unpacker{ctx: ctx, root: root, limits: limits.orDefaults(), packed: packed, made: map[string]bool{".": true}, buf: make([]byte, 128<<10)}
	var err error
	if format == Zip {
		err = u.unzip(in)
	} else {
		err = u.untar(in, format)
	}
	return u.stats, err
}

func (u *unpacker) untar(in io.Reader, format Format) error {
	plain, done, err := decompress(in, format)
	if err != nil {
		return err
	}
	defer done()
	reader := tar.NewReader(&limited{u: u, in: plain})
	for {
		entry, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return u.checkLinks()
		}
		if err != nil {
			return invalid(err)
		}
		if err := u.entry(entry, reader); err != nil {
			return fmt.Errorf("unpack %q: %w", short(entry.Name), err)
		}
	}
}

func (l Limits) orDefaults() Limits {
	d := Defaults()
	pick := func(v, d int64) int64 {
		if v > 0 {
			return v
		}
		return d
	}
	return Limits{
		Bytes: pick(l.Bytes, d.Bytes), Entries: int(pick(int64(l.Entries), int64(d.Entries))),
		Ratio: pick(l.Ratio, d.Ratio), Depth: int(pick(int64(l.Depth), int64(d.Depth))),
	}
}

func decompress(in io.Reader, format Format) (plain io.Reader, done func(), err error) {
	switch format {
	case TarGz:
		z, err := gzip.NewReader(bufio.NewReaderSize(in, 64<<10))
		if err != nil {
			return nil, nil, invalid(err)
		}
		return z, func() { _ = z.Close() }, nil
	case TarZst:
		// One thread and a bounded window: many unpacks run beside each other.
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(32<<20))
		if err != nil {
			return nil, nil, invalid(err)
		}
		return z, z.Close, nil
	default:
		return nil, nil, fmt.Errorf("%w: unknown format %d", ErrInvalid, format)
	}
}

// unpacker is one archive being unpacked.
type unpacker struct {
	ctx    context.Context //nolint:containedctx // it lives as long as one call
	root   *os.Root
	limits Limits
	packed int64
	read   int64 // plain bytes so far
	count  int
	stats  Stats
	made   map[string]bool // folders
	links  []string
	buf    []byte
}

// limited counts all that comes out of the decompressor, headers and padding included.
type limited struct {
	u  *unpacker
	in io.Reader
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	if err := l.u.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := l.in.Read(p)
	l.u.read += int64(n)
	switch {
	case l.u.read > l.u.limits.Bytes:
		return n, unsafe("it unpacks to more than %d bytes", l.u.limits.Bytes)
	case l.u.read > ratioFloor && l.u.read/l.u.limits.Ratio > l.u.packed:
		return n, unsafe("it unpacks to more than %d times its size", l.u.limits.Ratio)
	}
	return n, err
}

func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	if u.count++; u.count > u.limits.Entries {
		return unsafe("it has more than %d entries", u.limits.Entries)
	}
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := u.clean(h.Name)
	if err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.folder(name)
	case tar.TypeReg:
		if err := u.folder(path.Dir(name)); err != nil {
			return err
		}
		return u.file(name, h.Mode&0o100 != 0, h.Size, content)
	case tar.TypeSymlink:
		return u.link(name, h.Linkname)
	default:
		return unsafe("entries of type %q are not allowed", h.Typeflag)
	}
}

// clean returns the name as a local path. Names that need cleaning away of `..` are refused, not repaired.
func (u *unpacker) clean(name string) (string, error) {
	if strings.ContainsRune(name, 0) || strings.Contains(name, `\`) {
		return "", unsafe("its name holds a character that no name may hold")
	}
	cleaned := path.Clean(name)
	if !fs.ValidPath(cleaned) || strings.Contains("/"+name+"/", "/../") {
		return "", unsafe("its name leads out of the release")
	}
	if strings.Count(cleaned, "/") >= u.limits.Depth {
		return "", unsafe("it lies deeper than %d folders", u.limits.Depth)
	}
	return cleaned, nil
}

func (u *unpacker) folder(name string) error {
	if u.made[name] {
		return nil
	}
	if err := u.root.MkdirAll(name, folderMode); err != nil {
		return u.wrote(err)
	}
	u.made[name] = true
	return nil
}

func (u *unpacker) file(name string, program bool, size int64, content io.Reader) error {
	mode := fs.FileMode(fileMode)
	if program {
		mode = programMode
	}
	// A name that comes twice would be written through what came first, such as a link.
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return unsafe("its name comes twice")
	}
	if err != nil {
		return u.wrote(err)
	}
	sum := sha256.New()
	n, err := copyTo(f, sum, content, u.buf)
	if err == nil && n != size {
		err = invalid(io.ErrUnexpectedEOF)
	}
	u.stats.Files++
	u.stats.Bytes += n
	if u.stats.Sums == nil {
		u.stats.Sums = map[string][sha256.Size]byte{}
	}
	u.stats.Sums[name] = [sha256.Size]byte(sum.Sum(nil))
	return errors.Join(err, f.Chmod(mode), f.Close()) // the umask may have taken bits away
}

// copyTo tells apart who failed: the archive or the disk.
func copyTo(f *os.File, sum hash.Hash, content io.Reader, buf []byte) (n int64, err error) {
	for {
		read, err := content.Read(buf)
		if read > 0 {
			_, _ = sum.Write(buf[:read]) // never fails
			written, err := f.Write(buf[:read])
			n += int64(written)
			if err != nil {
				return n, err
			}
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, invalid(err)
		}
	}
}

// link makes a symbolic link that stays inside even when it is followed by
// somebody who does not know the root.
func (u *unpacker) link(name, to string) error {
	if to == "" || path.IsAbs(to) || strings.Contains(to, `\`) || strings.ContainsRune(to, 0) {
		return unsafe("it links to %q", short(to))
	}
	if inside := path.Join(path.Dir(name), to); !fs.ValidPath(inside) {
		return unsafe("it links out of the release, to %q", short(to))
	}
	if err := u.folder(path.Dir(name)); err != nil {
		return err
	}
	err := u.root.Symlink(to, name)
	if errors.Is(err, fs.ErrExist) {
		return unsafe("its name comes twice")
	}
	if err != nil {
		return u.wrote(err)
	}
	u.links = append(u.links, name)
	return nil
}

// checkLinks follows every link once all are there. Lexically inside is not
// enough: the way may lead over other links that came later.
func (u *unpacker) checkLinks() error {
	for _, name := range u.links {
		if _, err := u.root.Stat(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("unpack %q: %w", short(name), unsafe("it links out of the release over another link"))
		}
	}
	return nil
}

// wrote sorts an error of the root: an escape is the archive's fault, the rest is the disk's.
func (u *unpacker) wrote(err error) error {
	if strings.Contains(err.Error(), "escapes") { // os has no exported error for it
		return unsafe("its name leads out of the release over a link")
	}
	return err
}

func unsafe(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsafe, fmt.Sprintf(format, args...))
}

func invalid(err error) error {
	if errors.Is(err, ErrUnsafe) || errors.Is(err, ErrInvalid) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrInvalid, err)
}

// short keeps hostile names out of reports.
func short(name string) string {
	if len(name) > 200 {
		return name[:200] + "…"
	}
	return name
}
