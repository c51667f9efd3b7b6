package authority

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// fileName holds keys and certificates together, so that there is never one without the other.
const fileName = "agent-authority.pem"

const (
	keyBlock         = "PRIVATE KEY"
	certificateBlock = "CERTIFICATE"
)

// look is how often the file is looked at: another process may have added a root.
const look = 500 * time.Millisecond

// open reads the roots, or makes one where none is, and adds one in time before the last ends.
func (a *Authority) open() error {
	err := a.read()
	if errors.Is(err, fs.ErrNotExist) {
		if err := a.create(); err != nil {
			return err
		}
		err = a.read()
	}
	if err != nil {
		return err
	}
	if newest := a.roots[len(a.roots)-1]; newest.certificate.NotAfter.Sub(a.now()) < renewRoot {
		if _, err := Rotate(a.dir, a.now(), a.life); err != nil && !errors.Is(err, errUnderWay) {
			return err
		}
		return a.read()
	}
	return nil
}

// current returns the roots of this moment. What cannot be read leaves those that are known.
func (a *Authority) current() []*root {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := time.Now(); now.Sub(a.looked) > look {
		a.looked = now
		info, err := os.Stat(filepath.Join(a.dir, fileName))
		if err == nil && (info.Size() != a.file.Size() || !info.ModTime().Equal(a.file.ModTime())) {
			_ = a.readLocked() // somebody is writing it, or broke it: what is known goes on
		}
	}
	return a.roots
}

func (a *Authority) read() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.readLocked()
}

func (a *Authority) readLocked() error {
	roots, info, err := load(a.dir)
	if err == nil {
		a.roots, a.file, a.looked = roots, info, time.Now()
	}
	return err
}

// load reads the file.
func load(dir string) ([]*root, os.FileInfo, error) {
	path := filepath.Join(dir, fileName)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, nil, fmt.Errorf("%s may be read by others (mode %04o); chmod 600 it, and replace it if others could have read it", path, info.Mode().Perm())
	}
	var roots []*root
	for len(bytes.TrimSpace(data)) > 0 || len(roots) == 0 {
		var r *root
		if r, data, err = decode(data); err != nil {
			return nil, nil, err
		}
		roots = append(roots, r)
	}
	return roots, info, nil
}

// create writes a first root under the name in one step that fails when
// somebody else was faster; theirs is then the one.
func (a *Authority) create() error {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return err
	}
	first, err := generate(a.now())
	if err != nil {
		return err
	}
	fresh, err := write(a.dir, []*root{first})
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(fresh) }() // linked by then, or useless
	if err := os.Link(fresh, filepath.Join(a.dir, fileName)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(a.dir)
}

// write writes roots to a new file and returns its name.
func write(dir string, roots []*root) (string, error) {
	var data []byte
	for _, r := range roots {
		key, err := x509.MarshalPKCS8PrivateKey(r.key)
		if err != nil {
			return "", err
		}
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: key})...)
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: r.certificate.Raw})...)
	}
	file, err := os.CreateTemp(dir, fileName+".*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}

// syncFolder makes the new name durable: agents will hold certificates of this authority.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// decode reads one key with its certificate and returns what follows.
func decode(data []byte) (*root, []byte, error) {
	key, rest := pem.Decode(data)
	certificate, rest := pem.Decode(rest)
	if key == nil || certificate == nil || key.Type != keyBlock || certificate.Type != certificateBlock {
		return nil, nil, fmt.Errorf("%s does not hold a key and a certificate", fileName)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(key.Bytes)
	if err != nil {
		return nil, nil, err
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("%s holds a %T, not an EC key", fileName, parsed)
	}
	r := &root{key: private}
	if r.certificate, err = x509.ParseCertificate(certificate.Bytes); err != nil {
		return nil, nil, err
	}
	if !private.PublicKey.Equal(r.certificate.PublicKey) {
		return nil, nil, fmt.Errorf("key and certificate in %s do not belong together", fileName)
	}
	return r, rest, nil
}
