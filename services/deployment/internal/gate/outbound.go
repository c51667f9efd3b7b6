package gate

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// errRefused is an address that nobody is to be led to.
var errRefused = errors.New("the address is refused")

// outbound is the client for addresses that come out of plans: whoever writes a plan must not get the server to ask
// what only the server can reach. The address is checked where it is dialled, after every name has been resolved, so
// that no name and no redirect leads around it; proxies are not used for the same reason, and redirects not followed.
func outbound(publicOnly bool) *http.Client {
	dialer := &net.Dialer{
		Timeout: 10 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%w: %w", errRefused, err)
			}
			if why := forbidden(to.Addr(), publicOnly); why != "" {
				return fmt.Errorf("%w: it is %s", errRefused, why)
			}
			return nil
		},
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, MaxConnsPerHost: mostConnections, MaxIdleConnsPerHost: mostConnections,
			IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute,
	}
}

// forbidden says what is wrong with an address, or "".
func forbidden(a netip.Addr, publicOnly bool) string {
	a = a.Unmap().WithZone("")
	if translated := netip.MustParsePrefix("64:ff9b::/96"); translated.Contains(a) {
		tail := a.As16()
		a = netip.AddrFrom4([4]byte(tail[12:]))
	}
	switch {
	case a.IsLinkLocalUnicast():
		return "link-local, where clouds keep their secrets"
	case a == netip.MustParseAddr("fd00:ec2::254"), a == netip.MustParseAddr("100.100.100.200"):
		return "where a cloud keeps its secrets"
	case a.IsUnspecified(), a.IsMulticast(), a == netip.MustParseAddr("255.255.255.255"):
		return "no address of one machine"
	case publicOnly && (a.IsLoopback() || a.IsPrivate() || netip.MustParsePrefix("100.64.0.0/10").Contains(a)):
		return "private, and this server asks public ones only"
	default:
		return ""
	}
}
