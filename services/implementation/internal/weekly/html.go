package weekly

import (
	"bytes"
	"fmt"
	"html/template"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// sheet is the page around a report; it prints well and loads nothing.
const sheet = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>%s</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:52em;margin:2em auto;padding:0 1em;color:#1b1f24;background:#fff}
h1{font-size:1.5em}h2{font-size:1.1em;margin-top:1.6em;border-bottom:1px solid #d0d7de}
table{border-collapse:collapse;width:100%%}th,td{border:1px solid #d0d7de;padding:.3em .6em;text-align:left;vertical-align:top}
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}h2,th,td{border-color:#30363d}}
@media print{body{margin:0;max-width:none;color:#000;background:#fff}h2{break-after:avoid}tr{break-inside:avoid}}
</style></head><body>
%s</body></html>
`

// HTML makes a page of a report in Markdown.
func HTML(title, markdown string) (string, error) {
	var body bytes.Buffer
	if err := goldmark.New(goldmark.WithExtensions(extension.Table)).Convert([]byte(markdown), &body); err != nil {
		return "", fmt.Errorf("make a page of the report: %w", err)
	}
	return fmt.Sprintf(sheet, template.HTMLEscapeString(title), body.String()), nil
}
