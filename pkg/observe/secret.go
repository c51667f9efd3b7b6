package observe

// hidden is what stands where a secret would.
const hidden = "***"

// Secret is a string that prints, logs and marshals as ***. It is a flag value too.
type Secret string //nolint:recvcheck // hiding must work on values, setting needs a pointer

// Reveal returns the secret itself, for the one place that uses it.
func (s Secret) Reveal() string { return string(s) }

// String returns ***, or nothing for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret from JSON, YAML and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the secret itself.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

// Set is how a flag is given.
func (s *Secret) Set(value string) error {
	*s = Secret(value)
	return nil
}

// Type names the flag's type in help texts.
func (s *Secret) Type() string { return "secret" }
