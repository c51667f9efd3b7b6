package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

// importFlags are those of every command that reads a CSV file.
func importFlags(cmd *cobra.Command, file *string, columns *map[string]string, dryRun *bool) {
	cmd.Flags().StringVarP(file, "filename", "f", "", "the CSV file, or - for stdin")
	cmd.Flags().StringToStringVar(columns, "columns", nil, "where the header says otherwise: person=Employee")
	cmd.Flags().BoolVar(dryRun, "dry-run", false, "check every row and change nothing")
	must(cmd.MarkFlagRequired("filename"))
}

// exportFlags are those of every command that writes a CSV file.
func exportFlags(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "filename", "f", "-", "the CSV file, or - for stdout")
}

// writePages puts the pages of a file behind each other. A file that broke off is removed.
func (c *client) writePages(ctx context.Context, file string, next func(ctx context.Context, token string) (*implementationv1.ExportResult, error)) (err error) {
	out := c.out
	if file != "-" {
		f, err := os.Create(file)
		if err != nil {
			return err
		}
		defer func() {
			if closed := f.Close(); err == nil {
				err = closed
			}
			if err != nil {
				_ = os.Remove(file)
			}
		}()
		out = f
	}
	rows := int32(0)
	for token := ""; ; {
		page, err := next(ctx, token)
		if err != nil {
			return err
		}
		if _, err := out.Write(page.GetCsv()); err != nil {
			return err
		}
		rows += page.GetRowCount()
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if file != "-" {
		c.note("%d rows written to %s", rows, file)
	}
	return nil
}

// printImport shows what an import did. Bad rows are data: the caller has to mend them.
func (c *client) printImport(r *implementationv1.ImportResult) error {
	text := fmt.Sprintf("%d rows: %d recorded, %d were so already", r.GetRowCount(), r.GetCreatedCount(), r.GetUnchangedCount())
	if r.GetUpdatedCount() > 0 {
		text += fmt.Sprintf(", %d changed", r.GetUpdatedCount())
	}
	if r.GetErrorCount() > 0 {
		text = "the file cannot be read, nothing was changed"
		if r.GetRowCount() > 0 {
			text = fmt.Sprintf("%d of %d rows are bad, nothing was changed", r.GetErrorCount(), r.GetRowCount())
		}
		for _, e := range r.GetErrors() {
			place := strings.TrimSpace(fmt.Sprintf("line %d %s", e.GetLine(), e.GetColumn()))
			text += fmt.Sprintf("\n%s: %s (%s)", place, e.GetMessage(), e.GetReason())
		}
	}
	if len(r.GetIgnoredColumns()) > 0 {
		c.note("not read: column %s", strings.Join(r.GetIgnoredColumns(), ", "))
	}
	if e := r.GetEncoding(); e != "" && e != "UTF-8" {
		c.note("read as %s", e)
	}
	if err := c.printResult(r, text); err != nil || r.GetErrorCount() == 0 {
		return err
	}
	return outcome(exitUnwell)
}

func (c *client) printResult(m proto.Message, text string) error {
	if c.format.ForPeople() || c.format == show.Name {
		return c.say("%s", text)
	}
	return show.Encode(c.out, c.format, m)
}
