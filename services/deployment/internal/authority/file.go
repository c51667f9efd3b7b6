package authority

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// fileName holds the key and the certificate together, so that there is never one without the other.
const fileName = "agent-authority.pem"

const (
	keyBlock         = "PRIVATE KEY"
	certificateBlock = "CERTIFICATE"
)

// load reads the authority, or makes one where none is.
func (a *Authority) load(dir string) error {
	path := filepath.Join(dir, fileName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := a.create(dir, path); err != nil {
			return err
		}
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s may be read by others (mode %04o); chmod 600 it, and replace it if others could have read it", path, info.Mode().Perm())
	}
	return a.decode(data)
}

// create writes a new authority under its name in one step that fails when
// somebody else was faster; theirs is then the one.
func (a *Authority) create(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := a.generate(); err != nil {
		return err
	}
	data, err := a.encode()
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, fileName+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // linked by then, or useless
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(dir)
}

// syncFolder makes the new name durable: agents will hold certificates of this authority.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func (a *Authority) encode() ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, err
	}
	data := pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: key})
	return append(data, pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: a.certificate.Raw})...), nil
}

func (a *Authority) decode(data []byte) error {
	key, rest := pem.Decode(data)
	certificate, _ := pem.Decode(rest)
	if key == nil || certificate == nil || key.Type != keyBlock || certificate.Type != certificateBlock {
		return fmt.Errorf("%s does not hold a key and a certificate", fileName)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(key.Bytes)
	if err != nil {
		return err
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return fmt.Errorf("%s holds a %T, not an EC key", fileName, parsed)
	}
	if a.certificate, err = x509.ParseCertificate(certificate.Bytes); err != nil {
		return err
	}
	if !private.PublicKey.Equal(a.certificate.PublicKey) {
		return fmt.Errorf("key and certificate in %s do not belong together", fileName)
	}
	a.key = private
	return nil
}
