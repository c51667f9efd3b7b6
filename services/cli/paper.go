package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// paper is a report in both of its forms.
type paper interface {
	GetMarkdown() string
	GetHtml() string
}

func paperFlag(cmd *cobra.Command, out *string) {
	cmd.Flags().StringVar(out, "out", "", "the file to write, as a page where its name ends with .html; the standard output when not given")
}

// writePaper writes a report into a file, or as Markdown to the output.
func (c *client) writePaper(out string, p paper) error {
	text := p.GetMarkdown()
	if strings.HasSuffix(out, ".html") {
		text = p.GetHtml()
	}
	if out == "" {
		_, err := io.WriteString(c.out, text)
		return err
	}
	if err := os.WriteFile(out, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	c.note("written to %s", out)
	return nil
}
