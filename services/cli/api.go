package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/golive-dev/golive/pkg/fault"
)

func (a *app) api() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use: "api METHOD PATH", Short: "Call the HTTP API as you",
		Long:    "The answer goes to stdout as it comes, streams included. /docs/api on the server describes every path.",
		Example: "  golive api GET /v1/workspaces/default/applications\n  golive api POST '/v1/workspaces/default/applications?applicationId=crm' -d '{\"displayName\":\"CRM\"}'",
		Args:    cobra.ExactArgs(2),
	}
	cmd.Flags().StringVarP(&data, "data", "d", "", "the body; @FILE reads it from a file, @- from stdin")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) (err error) {
		body := []byte(data)
		if path, ok := strings.CutPrefix(data, "@"); ok {
			if body, err = c.readFile(path); err != nil {
				return err
			}
		}
		req, err := http.NewRequestWithContext(ctx, strings.ToUpper(args[0]), strings.TrimRight(c.url, "/")+"/"+strings.TrimLeft(args[1], "/"), bytes.NewReader(body))
		if err != nil {
			return usage(err.Error(), "write golive api GET /v1/…")
		}
		req.Header.Set("Authorization", "Bearer "+c.token)
		if len(body) > 0 {
			req.Header.Set("Content-Type", "application/json")
		}
		transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck // it is one
		transport.TLSClientConfig = c.tls
		resp, err := (&http.Client{Transport: transport}).Do(req)
		if err != nil {
			return fault.Unavailable("SERVER_UNREACHABLE", "%s does not answer; see that it runs there, or name another server", c.url).Cause(err)
		}
		defer func() { err = errors.Join(err, resp.Body.Close()) }()
		if _, err = io.Copy(c.out, resp.Body); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		return httpOutcome(resp)
	})
}

// httpOutcome is the exit code of a status; the body has said the rest.
func httpOutcome(resp *http.Response) error {
	switch {
	case resp.StatusCode < http.StatusBadRequest:
		return nil
	case resp.StatusCode == http.StatusNotFound:
		return outcome(exitNotFound)
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		return outcome(exitDenied)
	case resp.StatusCode == http.StatusConflict, resp.StatusCode == http.StatusPreconditionFailed:
		return outcome(exitConflict)
	case resp.StatusCode == http.StatusBadRequest, resp.StatusCode == http.StatusMethodNotAllowed:
		return outcome(exitUsage)
	default:
		return outcome(exitError)
	}
}
