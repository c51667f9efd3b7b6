package cli

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

const (
	// addressLife is how long a secret address works where nobody says otherwise.
	addressLife = 90 * 24 * time.Hour
	// addressHolder is who a secret address speaks for.
	addressHolder = "services/secret-address"
)

// lifetime is a flag for how long something is valid: days or hours.
type lifetime time.Duration

// Set reads 90d, or a duration such as 12h.
func (l *lifetime) Set(text string) error {
	if number, ok := strings.CutSuffix(text, "d"); ok {
		if days, err := strconv.Atoi(number); err == nil && days > 0 && days <= 366 {
			*l = lifetime(time.Duration(days) * 24 * time.Hour)
			return nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is no lifetime; write 90d or 12h", text)
	}
	*l = lifetime(d)
	return nil
}

// String writes whole days as such.
func (l *lifetime) String() string {
	const day = 24 * time.Hour
	if d := time.Duration(*l); d%day != 0 || d == 0 {
		return d.String()
	}
	return strconv.FormatInt(int64(time.Duration(*l)/day), 10) + "d"
}

// Type names the flag's type in help texts.
func (*lifetime) Type() string { return "lifetime" }

// secretAddress is what a tool is given that cannot send a token in a header.
type secretAddress struct {
	URL        string    `json:"url"`
	TokenID    string    `json:"tokenId"`
	ExpireTime time.Time `json:"expireTime"`
}

// printAddress mints a token that is good for one resource and prints the address
// with it. verb and query are what follows the resource.
func (c *client) printAddress(ctx context.Context, resource, verb string, query url.Values, ttl lifetime, permissions ...string) error {
	workspace := strings.Join(strings.SplitN(resource, "/", 3)[:2], "/")
	resp, err := accessv1.NewAccessServiceClient(c.software).MintToken(ctx, &accessv1.MintTokenRequest{
		Principal: addressHolder, Ttl: durationpb.New(time.Duration(ttl)),
		Grants: []*accessv1.Grant{{Workspace: workspace, Roles: []accessv1.Role{accessv1.Role_ROLE_VIEWER}}},
		Scope:  &accessv1.TokenScope{Resource: resource, Permissions: permissions},
	})
	if err != nil {
		return err
	}
	query.Set("key", resp.GetToken())
	made := secretAddress{
		URL:     strings.TrimRight(c.url, "/") + "/v1/" + resource + verb + "?" + query.Encode(),
		TokenID: resp.GetPrincipal().GetTokenId(), ExpireTime: resp.GetPrincipal().GetExpireTime().AsTime(),
	}
	if !c.format.ForPeople() && c.format != show.Name {
		return show.Encode(c.out, c.format, made)
	}
	c.note("whoever has this address may read it until %s; it is not shown again, and golive token revoke %s ends it",
		made.ExpireTime.Format(time.RFC3339), made.TokenID)
	return c.say("%s", made.URL)
}
