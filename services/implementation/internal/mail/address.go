package mail

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// local is the part before the @: what RFC 5321 allows without quotes. Quoted ones are legal and used by nobody.
var local = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$")

// domains reads domain names as the DNS has them.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// Address reads an e-mail address: one, without a name, whose server can be
// found by a domain. Its domain comes back in lower case and in ASCII. It says
// only whether, and nothing about a bad one: what is wrong is not repeated.
func Address(text string) (address string, ok bool) {
	text = strings.TrimSpace(text)
	user, domain, found := strings.Cut(text, "@")
	if !found || !utf8.ValidString(text) || len(text) > 254 || len(user) > 64 || !local.MatchString(user) || strings.HasSuffix(domain, ".") {
		return "", false
	}
	domain, err := domains.ToASCII(domain)
	if err != nil || len(user)+1+len(domain) > 254 || !strings.Contains(domain, ".") {
		return "", false
	}
	last := domain[strings.LastIndexByte(domain, '.')+1:]
	if last == "" || last[0] >= '0' && last[0] <= '9' { // a number: no domain, but an address of the network
		return "", false
	}
	return user + "@" + domain, true
}
