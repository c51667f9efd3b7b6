// Package outbound is the way out to addresses that somebody typed in: whoever writes
// a plan or a subscription must not get the server to ask what only the server can reach.
//
// An address is checked where it is dialled, after every name has been resolved, so that no name that changes
// its mind and no redirect leads around it; proxies are not used for the same reason, and redirects
// not followed. [Check] says the same beforehand, for who types it in.
package outbound

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// ErrRefused is an address that nobody is to be led to.
var ErrRefused = errors.New("the address is refused")

// lookup is how long [Check] looks for a name.
const lookup = 3 * time.Second

// mostHeader is how much of the head of an answer is taken before the answer is refused.
const mostHeader = 64 << 10

// Config says how far out a client goes.
type Config struct {
	// PublicOnly refuses private and local addresses too. Link-local ones, where clouds keep their secrets, are always refused.
	PublicOnly bool
	// Connections are how many there are to one host at most; any number when 0.
	Connections int
	// Idle are how many of them are kept to be used again; Connections when 0.
	Idle int
}

// New makes a client. Give each request a context that ends: a minute is what it waits at most.
func New(cfg Config) *http.Client {
	dialer := &net.Dialer{
		Timeout: 10 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrRefused, err)
			}
			if why := forbidden(to.Addr(), cfg.PublicOnly); why != "" {
				return fmt.Errorf("%w: it is %s", ErrRefused, why)
			}
			return nil
		},
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, MaxConnsPerHost: cfg.Connections, MaxIdleConnsPerHost: cmp.Or(cfg.Idle, cfg.Connections),
			MaxResponseHeaderBytes: mostHeader, IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute,
	}
}

// Check says why an address would be refused now, or "". A name that nobody knows is not refused: it may be known tomorrow, and dialling checks again.
func Check(ctx context.Context, address string, publicOnly bool) string {
	if why := Unfit(address, publicOnly); why != "" {
		return why
	}
	to, err := url.Parse(address)
	if err != nil {
		return "" // unfit already
	}
	ctx, cancel := context.WithTimeout(ctx, lookup)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", to.Hostname())
	if err != nil {
		return ""
	}
	for _, a := range found {
		if why := forbidden(a, publicOnly); why != "" {
			return why
		}
	}
	return ""
}

// Unfit says why an address is refused by what is written there, or "". It looks no name up, so it may be asked anywhere.
func Unfit(address string, publicOnly bool) string {
	to, err := url.Parse(address)
	switch {
	case err != nil || to.Hostname() == "":
		return "no address with a host"
	case to.Scheme != "https" && to.Scheme != "http":
		return "neither https nor http"
	case to.Scheme == "http" && publicOnly:
		return "not protected: write https"
	case to.User != nil:
		return "one with a password in it, which would be shown to all who read it"
	}
	if literal, err := netip.ParseAddr(to.Hostname()); err == nil {
		return forbidden(literal, publicOnly)
	}
	return ""
}

// forbidden says what is wrong with an address, or "".
func forbidden(a netip.Addr, publicOnly bool) string {
	a = embedded(a.Unmap().WithZone(""))
	switch {
	case a.IsLinkLocalUnicast():
		return "link-local, where clouds keep their secrets"
	case secretive(a):
		return "where a cloud keeps its secrets"
	case a.IsUnspecified(), a.IsMulticast(), a == netip.MustParseAddr("255.255.255.255"):
		return "no address of one machine"
	case publicOnly && (a.IsLoopback() || a.IsPrivate() || local(a)):
		return "private, and this server asks public ones only"
	default:
		return ""
	}
}

// secretive says that a cloud tells its machines their secrets there, though the address is not link-local: of Amazon (and of Kubernetes there), Google, Alibaba, Oracle and Azure.
func secretive(a netip.Addr) bool {
	for _, at := range []string{"fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"} {
		if a == netip.MustParseAddr(at) {
			return true
		}
	}
	return false
}

// embedded is the address of version 4 that translators make of one of version 6; a itself where it is none.
func embedded(a netip.Addr) netip.Addr {
	bytes := a.As16()
	switch {
	case !a.Is6():
		return a
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a), netip.MustParsePrefix("64:ff9b:1::/96").Contains(a), netip.MustParsePrefix("::ffff:0:0:0/96").Contains(a):
		return netip.AddrFrom4([4]byte(bytes[12:]))
	case netip.MustParsePrefix("2002::/16").Contains(a):
		return netip.AddrFrom4([4]byte(bytes[2:6]))
	default:
		return a
	}
}

// local says that an address belongs to networks that the internet does not lead to, beside those that the standard library knows.
func local(a netip.Addr) bool {
	for _, prefix := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "64:ff9b:1::/48", "2001::/32", "fec0::/10", "::/96"} {
		if netip.MustParsePrefix(prefix).Contains(a) {
			return true
		}
	}
	return false
}
