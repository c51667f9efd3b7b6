package sheet

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// The encodings that are read, as the result of an import names them.
const (
	UTF8        = "UTF-8"
	UTF16LE     = "UTF-16LE"
	UTF16BE     = "UTF-16BE"
	Windows1252 = "windows-1252"
)

// badByte is where a file stops being text.
type badByte struct {
	offset int // in the file as it was sent
	line   int
	why    string
}

// decode finds out how a file is encoded and returns it in UTF-8, without a
// byte order mark. What begins with a mark is what the mark says. What is valid
// UTF-8 is UTF-8. The rest is Windows-1252, which spreadsheets still write and
// which Latin-1 is a part of, unless it has a letter of UTF-8 too: then it is a
// broken file, and to read it anyhow would make up people.
func decode(data []byte) (text []byte, encoding string, bad *badByte) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		text, bad = fromUTF8(data, 3)
		return text, UTF8, bad
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		text, bad = fromUTF16(data, unicode.LittleEndian)
		return text, UTF16LE, bad
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		text, bad = fromUTF16(data, unicode.BigEndian)
		return text, UTF16BE, bad
	}
	if zero := bytes.IndexByte(data, 0); zero >= 0 {
		return nil, "", &badByte{zero, lineAt(data, zero), "is zero: the file is no text, or UTF-16 without a byte order mark"}
	}
	if utf8.Valid(data) {
		return data, UTF8, nil
	}
	if mixed(data) {
		text, bad = fromUTF8(data, 0)
		return text, UTF8, bad
	}
	text, bad = fromWindows(data)
	return text, Windows1252, bad
}

// fromUTF8 checks what is behind the mark.
func fromUTF8(data []byte, mark int) ([]byte, *badByte) {
	for at := mark; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		switch {
		case r == utf8.RuneError && size == 1:
			return nil, &badByte{at, lineAt(data, at), fmt.Sprintf("is 0x%02x, which cannot stand there in UTF-8", data[at])}
		case r == 0:
			return nil, &badByte{at, lineAt(data, at), "is zero: the file is no text"}
		}
		at += size
	}
	return data[mark:], nil
}

func fromUTF16(data []byte, order unicode.Endianness) ([]byte, *badByte) {
	text, err := unicode.UTF16(order, unicode.UseBOM).NewDecoder().Bytes(data)
	if err != nil || len(data)%2 != 0 {
		return nil, &badByte{len(data) - 1, 1 + bytes.Count(text, []byte("\n")), "is the half of a character of UTF-16: the file is cut off"}
	}
	// The decoder puts U+FFFD where two halves do not belong together.
	if at := bytes.IndexRune(text, utf8.RuneError); at >= 0 {
		return nil, &badByte{2 + 2*units(text[:at]), lineAt(text, at), "begins half a character of UTF-16"}
	}
	if at := bytes.IndexByte(text, 0); at >= 0 {
		return nil, &badByte{2 + 2*units(text[:at]), lineAt(text, at), "begins a character zero: the file is no text"}
	}
	return text, nil
}

// units counts what a text takes in UTF-16.
func units(text []byte) (n int) {
	for _, r := range string(text) {
		if n++; r > 0xffff {
			n++
		}
	}
	return n
}

// undefined are the bytes that Windows-1252 has no character for.
const undefined = "\x81\x8d\x8f\x90\x9d"

func fromWindows(data []byte) ([]byte, *badByte) {
	for at, b := range data {
		if strings.IndexByte(undefined, b) >= 0 {
			return nil, &badByte{at, lineAt(data, at), fmt.Sprintf("is 0x%02x, which is neither UTF-8 nor Windows-1252", b)}
		}
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(data)
	if err != nil {
		return nil, &badByte{0, 1, "begins what cannot be read as Windows-1252"}
	}
	return text, nil
}

// mixed says that there is a character of several bytes of UTF-8 in what is not valid as a whole.
func mixed(data []byte) bool {
	for at := 0; at < len(data); {
		_, size := utf8.DecodeRune(data[at:])
		if size > 1 {
			return true
		}
		at += size
	}
	return false
}

func lineAt(data []byte, at int) int { return 1 + bytes.Count(data[:at], []byte("\n")) }
