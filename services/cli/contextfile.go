package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// contextFile is what the command line remembers: servers, and who it is there.
type contextFile struct {
	Current  string                  `yaml:"current"`
	Contexts map[string]*contextData `yaml:"contexts"`
}

// contextData is one server.
type contextData struct {
	URL            string `yaml:"url,omitempty"`
	Deployment     string `yaml:"deployment,omitempty"`
	Implementation string `yaml:"implementation,omitempty"`
	Workspace      string `yaml:"workspace,omitempty"`
	Token          string `yaml:"token,omitempty"`
	TLS            bool   `yaml:"tls,omitempty"`
	CAFile         string `yaml:"ca_file,omitempty"`
}

// contextPath is GOLIVE_CONFIG, or golive/config.yaml in the user's folder for settings.
func (a *app) contextPath() (string, error) {
	if path, ok := a.env("GOLIVE_CONFIG"); ok && path != "" {
		return path, nil
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("no folder for the contexts: %w; set GOLIVE_CONFIG to a file", err)
	}
	return filepath.Join(folder, "golive", "config.yaml"), nil
}

// loadContexts reads the file; without one there are no contexts.
func (a *app) loadContexts() (*contextFile, error) {
	f := &contextFile{Contexts: map[string]*contextData{}}
	path, err := a.contextPath()
	if err != nil {
		return f, nil //nolint:nilerr // no home folder, so nothing remembered
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read contexts: %w", err)
	}
	if err := yaml.Unmarshal(data, f); err != nil {
		return nil, fmt.Errorf("read contexts %s: %w", path, err)
	}
	if f.Contexts == nil {
		f.Contexts = map[string]*contextData{}
	}
	return f, nil
}

// saveContexts replaces the file in one step. It holds tokens, so it is the user's alone.
func (a *app) saveContexts(f *contextFile) error {
	path, err := a.contextPath()
	if err != nil {
		return err
	}
	data, err := yaml.Marshal(f)
	if err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".config-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	_, err = temporary.Write(data)
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write contexts: %w", errors.Join(err, os.Remove(temporary.Name())))
	}
	return nil
}
