package authority

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// A new root goes through three times, which follow from when it was made alone, so
// that all servers agree without speaking to each other. L is the life of an agent's certificate.
//
//	made ────── L ──────▶ it signs ──── L + skew ────▶ the one before is forgotten
//	agents are told of    both are trusted
//	it as they renew
//
// Every certificate that is valid when the new root begins to sign was given out after
// it was made, together with it.

// renewRoot is how long before its end the last root gets a successor by itself.
const renewRoot = 2 * 365 * 24 * time.Hour

var errUnderWay = errors.New("the authority is being replaced already")

// signs is when the root at a position begins to sign.
func signs(roots []*root, i int, life time.Duration) time.Time {
	if i == 0 {
		return time.Time{}
	}
	return roots[i].added().Add(life)
}

// signer returns the root that signs at a time.
func signer(roots []*root, now time.Time, life time.Duration) *root {
	for i := len(roots) - 1; i > 0; i-- {
		if !now.Before(signs(roots, i, life)) {
			return roots[i]
		}
	}
	return roots[0]
}

// trusted returns the roots that are trusted at a time.
func trusted(roots []*root, now time.Time, life time.Duration) []*root {
	first := 0
	for i := 1; i < len(roots); i++ {
		if !now.Before(signs(roots, i, life).Add(life + min(skew, life))) {
			first = i
		}
	}
	return roots[first:]
}

// Rotate adds a root to the authority in dir and tells when it begins to sign. Servers that run take note by themselves.
func Rotate(dir string, now time.Time, life time.Duration) (begins time.Time, err error) {
	lock := flock.New(filepath.Join(dir, fileName+".lock"))
	if err := lock.Lock(); err != nil {
		return begins, fmt.Errorf("lock the authority: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	roots, _, err := load(dir)
	if err != nil {
		return begins, fmt.Errorf("certificate authority in %s: %w", dir, err)
	}
	if last := len(roots) - 1; now.Before(signs(roots, last, life)) {
		return signs(roots, last, life), fmt.Errorf("%w, and the new one signs from %s on", errUnderWay, signs(roots, last, life).Format(time.RFC3339))
	}
	fresh, err := generate(now)
	if err != nil {
		return begins, err
	}
	roots = append(trusted(roots, now, life), fresh)
	name, err := write(dir, roots)
	if err != nil {
		return begins, err
	}
	err = errors.Join(os.Rename(name, filepath.Join(dir, fileName)), syncFolder(dir))
	return signs(roots, len(roots)-1, life), err
}
