package render

import (
	"cmp"
	"slices"
	"strings"
)

// Mask is what stands in the place of a secret.
const Mask = "*****"

// minMasked is the shortest text that is taken for a secret: masking every "1" would hide more than it protects.
const minMasked = 3

// Masker takes secrets out of text.
type Masker struct{ replacer *strings.Replacer }

// NewMasker returns a masker for values, and for each line of those with several.
func NewMasker(secrets []string) *Masker {
	var parts []string
	for _, secret := range secrets {
		parts = append(parts, secret)
		parts = append(parts, strings.FieldsFunc(secret, func(r rune) bool { return r == '\n' || r == '\r' })...)
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return len(s) < minMasked })
	slices.SortFunc(parts, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	pairs := make([]string, 0, 2*len(parts))
	for _, part := range slices.Compact(parts) { // the longest first: one may begin with another
		pairs = append(pairs, part, Mask)
	}
	return &Masker{replacer: strings.NewReplacer(pairs...)}
}

// Text returns the text without secrets. A nil masker knows none.
func (m *Masker) Text(text string) string {
	if m == nil {
		return text
	}
	return m.replacer.Replace(text)
}
