package signature

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// The kinds of documents.
const (
	kindRelease  = "release"
	kindRollback = "rollback"
)

// Release is the manifest of a release.
type Release struct {
	Kind        string     `json:"kind"`
	Application string     `json:"application"`
	Version     string     `json:"version"`
	Counter     int64      `json:"counter"`
	Expires     time.Time  `json:"expires"`
	Artifacts   []Artifact `json:"artifacts"`
}

// Artifact is one archive that a manifest names.
type Artifact struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// Rollback is an order that lets hosts of an environment go back to a release whose counter is at least its own.
type Rollback struct {
	Kind        string    `json:"kind"`
	Application string    `json:"application"`
	Environment string    `json:"environment"`
	Counter     int64     `json:"counter"`
	Expires     time.Time `json:"expires"`
}

// ReadRelease verifies a manifest and reads it. Whether it has expired, and what it is
// about, is asked of the result.
func ReadRelease(document []byte, signed string, keys ...Key) (*Release, error) {
	if err := Verify(document, signed, keys...); err != nil {
		return nil, err
	}
	var r Release
	if err := decode(document, &r); err != nil {
		return nil, err
	}
	switch {
	case r.Kind != kindRelease:
		return nil, fmt.Errorf("%w: its kind is %q, not %q", ErrDocument, r.Kind, kindRelease)
	case r.Application == "" || r.Version == "":
		return nil, fmt.Errorf("%w: application and version must be said", ErrDocument)
	}
	return &r, lasting(r.Counter, r.Expires)
}

// ReadRollback verifies an order and reads it.
func ReadRollback(document []byte, signed string, keys ...Key) (*Rollback, error) {
	if err := Verify(document, signed, keys...); err != nil {
		return nil, err
	}
	var r Rollback
	if err := decode(document, &r); err != nil {
		return nil, err
	}
	switch {
	case r.Kind != kindRollback:
		return nil, fmt.Errorf("%w: its kind is %q, not %q", ErrDocument, r.Kind, kindRollback)
	case r.Application == "" || r.Environment == "":
		return nil, fmt.Errorf("%w: application and environment must be said", ErrDocument)
	}
	return &r, lasting(r.Counter, r.Expires)
}

// decode is strict: a field that this version does not know may say something that matters.
func decode(document []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows after its end", ErrDocument)
	}
	return nil
}

func lasting(counter int64, expires time.Time) error {
	if counter < 1 {
		return fmt.Errorf("%w: its counter is %d; it starts at 1", ErrDocument, counter)
	}
	if expires.IsZero() {
		return fmt.Errorf("%w: it does not say when it expires", ErrDocument)
	}
	return nil
}

// Current returns ErrExpired from the moment it expires.
func (r *Release) Current(now time.Time) error { return current(r.Expires, now) }

func current(expires, now time.Time) error {
	if now.Before(expires) {
		return nil
	}
	return fmt.Errorf("%w: it was valid until %s", ErrExpired, expires.UTC().Format(time.RFC3339))
}

// About returns ErrMismatch unless the manifest is of this version of this application.
func (r *Release) About(application, version string) error {
	if r.Application != application || r.Version != version {
		return fmt.Errorf("%w: it is about %s %s, not %s %s", ErrMismatch, r.Application, r.Version, application, version)
	}
	return nil
}

// Lists returns ErrMismatch unless the manifest names this archive.
func (r *Release) Lists(a Artifact) error {
	if slices.Contains(r.Artifacts, a) {
		return nil
	}
	return fmt.Errorf("%w: it does not list the archive for %s/%s with SHA-256 %s and %d bytes", ErrMismatch, a.OS, a.Arch, a.SHA256, a.Size)
}

// Allows returns nil if the order lets hosts of the environment go back to a release with that counter now.
func (r *Rollback) Allows(application, environment string, counter int64, now time.Time) error {
	if r.Application != application || r.Environment != environment {
		return fmt.Errorf("%w: it is for %s in %s, not %s in %s", ErrMismatch, r.Application, r.Environment, application, environment)
	}
	if counter < r.Counter {
		return fmt.Errorf("%w: it lets go back to counter %d, and the release has %d", ErrMismatch, r.Counter, counter)
	}
	return current(r.Expires, now)
}
