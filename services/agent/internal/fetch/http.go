package fetch

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// HTTP fetches an address with GET and Range.
type HTTP struct {
	Client *http.Client
	URL    string
}

// Open implements [Source].
func (h HTTP) Open(ctx context.Context, offset int64) (io.ReadCloser, int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL, nil)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrFinal, err)
	}
	request.Header.Set("Accept-Encoding", "identity")
	if offset > 0 {
		request.Header.Set("Range", "bytes="+strconv.FormatInt(offset, 10)+"-")
	}
	response, err := h.Client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	switch {
	case response.StatusCode == http.StatusOK:
		return response.Body, 0, nil
	case response.StatusCode == http.StatusPartialContent:
		begin, ok := rangeBegin(response.Header.Get("Content-Range"))
		if ok {
			return response.Body, begin, nil
		}
		err = fmt.Errorf("%w: Content-Range %q", ErrFinal, response.Header.Get("Content-Range"))
	case response.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		// All is here already, or the bytes are others: the digest tells.
		_ = response.Body.Close()
		return http.NoBody, offset, nil
	case response.StatusCode >= http.StatusInternalServerError, response.StatusCode == http.StatusTooManyRequests, response.StatusCode == http.StatusRequestTimeout:
		err = fmt.Errorf("the source answers %s", response.Status)
	default:
		err = fmt.Errorf("%w: the source answers %s", ErrFinal, response.Status)
	}
	_ = response.Body.Close()
	return nil, 0, err
}

// rangeBegin reads `bytes 5-9/10`.
func rangeBegin(header string) (int64, bool) {
	rest, ok := strings.CutPrefix(header, "bytes ")
	first, _, cut := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(first, 10, 64)
	return n, ok && cut && err == nil && n >= 0
}
