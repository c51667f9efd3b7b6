package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/klauspost/compress/zip"
)

// A zip archive's table of contents is read before anything else, into memory:
// it is bounded by what the allowed number of entries may need.
const (
	directoryEntry = 128 // bytes, header and name
	directoryFloor = 1 << 20
)

// maxLink bounds the target of a symbolic link.
const maxLink = 4096

// encrypted is the flag of an entry that needs a password.
const encrypted = 0x1

func (u *unpacker) unzip(in io.ReaderAt) error {
	table := &bounded{in: in, left: max(directoryFloor, int64(u.limits.Entries)*directoryEntry)}
	reader, err := zip.NewReader(table, u.packed)
	if err != nil {
		return invalid(err)
	}
	table.open = true
	for _, entry := range reader.File {
		if err := u.zipped(entry); err != nil {
			return fmt.Errorf("unpack %q: %w", short(entry.Name), err)
		}
	}
	return u.checkLinks()
}

// bounded reads a part of an archive only, until it is opened.
type bounded struct {
	in   io.ReaderAt
	left int64
	open bool
}

// ReadAt implements io.ReaderAt.
func (b *bounded) ReadAt(p []byte, offset int64) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 && !b.open {
		return 0, unsafe("its table of contents is too long")
	}
	return b.in.ReadAt(p, offset)
}

func (u *unpacker) zipped(f *zip.File) error {
	if u.count++; u.count > u.limits.Entries {
		return unsafe("it has more than %d entries", u.limits.Entries)
	}
	folder := strings.HasSuffix(f.Name, "/")
	name, err := u.clean(f.Name)
	if err != nil {
		return err
	}
	mode := f.Mode()
	switch {
	case folder || mode.IsDir():
		return u.folder(name)
	case f.Flags&encrypted != 0:
		return invalid(errors.New("it is encrypted"))
	case mode.IsRegular(), mode&fs.ModeSymlink != 0:
	default:
		return unsafe("entries of type %q are not allowed", mode.Type())
	}
	content, err := f.Open()
	if err != nil {
		return invalid(err)
	}
	defer func() { _ = content.Close() }()
	plain := &limited{u: u, in: content}
	if mode.IsRegular() {
		if err := u.folder(path.Dir(name)); err != nil {
			return err
		}
		return u.file(name, mode&0o100 != 0, int64(min(f.UncompressedSize64, 1<<62)), plain)
	}
	to, err := io.ReadAll(io.LimitReader(plain, maxLink+1))
	if err != nil {
		return invalid(err)
	}
	if len(to) > maxLink {
		return unsafe("its link is longer than %d bytes", maxLink)
	}
	return u.link(name, string(to))
}
