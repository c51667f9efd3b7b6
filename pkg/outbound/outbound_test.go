package outbound_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/outbound"
)

func TestAddressesThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		url             string
		public, private string // why, with and without PublicOnly
	}{
		{"https://203.0.113.7/hook", "", ""},
		{"https://[2001:db8::1]/hook", "", ""},
		{"https://no-such-host.invalid/hook", "", ""},
		{"https://127.0.0.1:8443/hook", "private", ""},
		{"https://localhost/hook", "private", ""},
		{"https://[::1]/hook", "private", ""},
		{"https://10.1.2.3/hook", "private", ""},
		{"https://192.168.0.1/hook", "private", ""},
		{"https://100.64.0.1/hook", "private", ""},
		{"https://198.18.0.1/hook", "private", ""},
		{"https://[fd12:3456::1]/hook", "private", ""},
		{"https://[::ffff:10.0.0.1]/hook", "private", ""},
		{"https://[64:ff9b::10.0.0.1]/hook", "private", ""},
		{"https://[2002:0a00:0001::1]/hook", "private", ""},
		{"https://0.1.2.3/hook", "private", ""},
		{"https://169.254.169.254/latest/meta-data", "link-local", "link-local"},
		{"https://[::ffff:169.254.169.254]/", "link-local", "link-local"},
		{"https://[64:ff9b::169.254.169.254]/", "link-local", "link-local"},
		{"https://[fe80::1%25eth0]/", "link-local", "link-local"},
		{"https://[fd00:ec2::254]/", "secrets", "secrets"},
		{"https://[fd00:ec2::23]/", "secrets", "secrets"},
		{"https://[fd20:ce::254]/", "secrets", "secrets"},
		{"https://100.100.100.200/", "secrets", "secrets"},
		{"https://192.0.0.192/", "secrets", "secrets"},
		{"https://168.63.129.16/", "secrets", "secrets"},
		{"https://[64:ff9b:1::169.254.169.254]/", "link-local", "link-local"},
		{"https://[::ffff:0:169.254.169.254]/", "link-local", "link-local"},
		{"https://[::ffff:0:10.0.0.1]/", "private", ""},
		{"https://[2001:0:7f00:1::1]/", "private", ""},
		{"https://0.0.0.0/", "no address of one machine", "no address of one machine"},
		{"https://224.0.0.1/", "no address of one machine", "no address of one machine"},
		{"http://203.0.113.7/", "not protected", ""},
		{"ftp://203.0.113.7/", "neither https nor http", "neither https nor http"},
		{"https://user:secret@203.0.113.7/", "password", "password"},
		{"https:///path", "no address", "no address"},
		{"https://a b/", "no address", "no address"},
	} {
		t.Run(c.url, func(t *testing.T) {
			for publicOnly, want := range map[bool]string{true: c.public, false: c.private} {
				why := outbound.Check(t.Context(), c.url, publicOnly)
				if want == "" {
					require.Empty(t, why)
				} else {
					require.Contains(t, why, want)
				}
			}
		})
	}
}

func TestANameThatLeadsInsideIsRefusedWhereItIsDialled(t *testing.T) {
	asked := false
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer inside.Close()
	_, port, err := net.SplitHostPort(inside.Listener.Addr().String())
	require.NoError(t, err)
	get := func(publicOnly bool) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost:"+port, http.NoBody)
		require.NoError(t, err)
		answer, err := outbound.New(outbound.Config{PublicOnly: publicOnly, Connections: 1}).Do(req)
		if err == nil {
			require.NoError(t, answer.Body.Close())
		}
		return err
	}
	require.ErrorIs(t, get(true), outbound.ErrRefused)
	require.False(t, asked)
	require.NoError(t, get(false))
	require.True(t, asked)
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound))
	defer server.Close()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, server.URL, http.NoBody)
	require.NoError(t, err)
	answer, err := outbound.New(outbound.Config{}).Do(req)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusFound, answer.StatusCode)
}

func TestAHeadWithoutAnEndIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 100 {
			w.Header().Set("X-"+strconv.Itoa(i), strings.Repeat("h", 10_000))
		}
	}))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
	require.NoError(t, err)
	answer, err := outbound.New(outbound.Config{}).Do(req)
	if err == nil {
		require.NoError(t, answer.Body.Close())
	}
	require.ErrorContains(t, err, "exceeded")
}
