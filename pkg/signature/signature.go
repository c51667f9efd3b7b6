// Package signature verifies documents that were signed with minisign
// (https://jedisct1.github.io/minisign), and reads the two kinds that golive knows: the
// manifest of a release, and the order that lets hosts go back to an older one.
//
// The deployment service asks it when a release is registered, and every agent again before
// it unpacks anything: a server that lies gains nothing. Both verify the very bytes that were
// signed; nothing is marshalled again.
//
//	minisign -S -s release.key -m manifest.json     # writes manifest.json.minisig
package signature

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"

	"aead.dev/minisign"
)

// What can be wrong with a signed document.
var (
	// ErrSignature says that none of the keys has signed these bytes.
	ErrSignature = errors.New("the signature is not valid")
	// ErrDocument says that the signed text is not what it should be.
	ErrDocument = errors.New("the signed document cannot be read")
	// ErrExpired says that it was valid until a time that has passed.
	ErrExpired = errors.New("the signed document has expired")
	// ErrMismatch says that it speaks of something else.
	ErrMismatch = errors.New("the signed document is about something else")
)

// Key is a minisign public key.
type Key struct{ public minisign.PublicKey }

// ParseKey reads the base64 form: the second line of a .pub file.
func ParseKey(text string) (Key, error) {
	var k Key
	if err := k.public.UnmarshalText([]byte(strings.TrimSpace(text))); err != nil {
		return Key{}, fmt.Errorf("read public key: %w", err)
	}
	return k, nil
}

// ParseKeys reads base64 keys; all must be good.
func ParseKeys(texts ...string) ([]Key, error) {
	keys := make([]Key, 0, len(texts))
	for _, text := range texts {
		k, err := ParseKey(text)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// ParseKeyFile reads the .pub files of minisign, one or several one after the other. A
// file without a key is an error: an empty list would trust nobody, or everybody.
func ParseKeyFile(content []byte) ([]Key, error) {
	var texts []string
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "untrusted comment:") {
			texts = append(texts, line)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	if len(texts) == 0 {
		return nil, errors.New("the file holds no public key")
	}
	return ParseKeys(texts...)
}

// String returns the base64 form.
func (k Key) String() string { return k.public.String() }

// Verify returns nil if one of the keys has signed the document, and the trusted comment
// with it. It takes both forms that minisign writes: of the text itself, and of its BLAKE2b hash.
func Verify(document []byte, signed string, keys ...Key) error {
	var s minisign.Signature
	if err := s.UnmarshalText([]byte(signed)); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if len(keys) == 0 {
		return fmt.Errorf("%w: there is no key to verify it with", ErrSignature)
	}
	known := false
	for _, k := range keys {
		if k.public.ID() != s.KeyID {
			continue
		}
		known = true
		if minisign.Verify(k.public, document, []byte(signed)) {
			return nil
		}
	}
	if !known {
		return fmt.Errorf("%w: it was made with key %X, which is none of the %d that are trusted", ErrSignature, s.KeyID, len(keys))
	}
	return fmt.Errorf("%w: the document or its comment was changed after it was signed with key %X", ErrSignature, s.KeyID)
}
