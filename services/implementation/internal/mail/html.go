package mail

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"

	"github.com/yuin/goldmark"
)

// page is the one look of every message: no pictures, no styles from elsewhere, nothing that tells who reads it.
const page = `<!DOCTYPE html>
<html lang="%s"><head><meta charset="utf-8"><title>%s</title></head>
<body style="font-family:sans-serif;line-height:1.5;max-width:40em;margin:1em">
%s<hr><p style="color:#555;font-size:smaller">%s</p>
</body></html>
`

// HTML makes a page of a text that is plain or Markdown. HTML in the text is left out, and so are links that run scripts.
func HTML(language, subject, text, footer string) (string, error) {
	var body bytes.Buffer
	if err := goldmark.Convert([]byte(text), &body); err != nil {
		return "", fmt.Errorf("read a message as Markdown: %w", err)
	}
	if language == "" {
		language = "en"
	}
	return fmt.Sprintf(page, template.HTMLEscapeString(language), template.HTMLEscapeString(subject), body.String(), template.HTMLEscapeString(strings.TrimSpace(footer))), nil
}
