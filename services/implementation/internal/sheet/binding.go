package sheet

// Binding is one row of an import of keys.
type Binding struct {
	Line int
	// Key is the keyed pseudonym that applications send.
	Key string
	// Person is the id of the person it stands for.
	Person string
}

// Bindings reads columns key and person. A key may be there once. Valid tells what a key looks like.
func Bindings(data []byte, columns map[string]string, workspace string, valid func(key string) bool) ([]Binding, *File, error) {
	f, err := Read(data, []Field{{Name: "key", Required: true}, {Name: "person", Required: true}}, columns)
	if err != nil {
		return nil, nil, err
	}
	all := make([]Binding, 0, len(f.Rows))
	seen := make(map[string]int, len(f.Rows))
	for _, row := range f.Rows {
		b := Binding{Line: row.Line, Key: row.Value(0)}
		var good bool
		if b.Person, good = f.person(row, 1, workspace); !good {
			continue
		}
		if !valid(b.Key) {
			f.Problems.Add(b.Line, f.Column(0), "KEY_INVALID", "%s is no key: 64 lower-case hex digits, as applications send them", describe(b.Key))
			continue
		}
		if line, twice := seen[b.Key]; twice {
			f.Problems.Add(b.Line, f.Column(0), "DUPLICATE_ROW", "the key is in line %d already", line)
			continue
		}
		seen[b.Key] = b.Line
		all = append(all, b)
	}
	return all, f, nil
}
