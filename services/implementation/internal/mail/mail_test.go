package mail_test

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/mail"
)

func TestRetriesAreSpacedAndCapped(t *testing.T) {
	require.Equal(t, time.Minute, mail.RetryAfter(1, 0))
	require.Equal(t, 2*time.Minute, mail.RetryAfter(2, 0))
	require.Equal(t, 64*time.Minute, mail.RetryAfter(7, 0))
	require.Equal(t, 4*time.Hour, mail.RetryAfter(9, 0))
	require.Equal(t, 4*time.Hour, mail.RetryAfter(1_000_000, 0), "no overflow, however often")
	require.Equal(t, 5*time.Hour, mail.RetryAfter(20, 1), "up to a quarter later")
	rapid.Check(t, func(t *rapid.T) {
		n, spread := rapid.IntRange(1, 100).Draw(t, "n"), rapid.Float64Range(0, 1).Draw(t, "spread")
		require.LessOrEqual(t, mail.RetryAfter(n, 0), mail.RetryAfter(n+1, 0), "later attempts wait no less")
		require.GreaterOrEqual(t, mail.RetryAfter(n, spread), mail.RetryAfter(n, 0))
	})
}

func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"ada@example.com":                        "ada@example.com",
		"  Ada.Lovelace+x@EXAMPLE.com ":          "Ada.Lovelace+x@example.com",
		"o'brien@mail.example.co.uk":             "o'brien@mail.example.co.uk",
		"ada@bücher.example":                     "ada@xn--bcher-kva.example",
		strings.Repeat("a", 64) + "@example.com": strings.Repeat("a", 64) + "@example.com",
	} {
		got, ok := mail.Address(text)
		require.True(t, ok, text)
		require.Equal(t, want, got)
	}
	for _, text := range []string{
		"", "ada", "@example.com", "ada@", "ada@@example.com", "ada@localhost", "ada@127.0.0.1", "ada@[127.0.0.1]",
		"Ada <ada@example.com>", "ada@example.com, bob@example.com", "ada@example.com;bob@example.com", "a da@example.com",
		"ada@example.com\r\nBcc: bob@example.com", "ada\r\n@example.com", "ada@exam ple.com", "ada@example..com", "ada@example.com.",
		"ada@-example.com", ".ada@example.com", "ada.@example.com", "a..da@example.com", `"ada"@example.com`, "ådä@example.com",
		"ada@example.com\x00", "ada@exa_mple.com", "<ada@example.com>", strings.Repeat("a", 65) + "@example.com",
		"ada@" + strings.Repeat("a.", 130) + "com", "ada@" + strings.Repeat("a", 64) + ".com",
	} {
		_, ok := mail.Address(text)
		require.False(t, ok, "%q", text)
	}
}

// What is taken for an address has one recipient by the standard library's reading too, and can break no header.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"ada@example.com", "a@b", "ada@bücher.example", "x@y.z\r\nBcc: q@w.e", "\"a\"@b.c", "ada@example.com,b@c.d", "a@ß.de", "a@xn--a.b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		address, ok := mail.Address(text)
		if !ok {
			require.Empty(t, address)
			return
		}
		require.LessOrEqual(t, len(address), 254)
		require.False(t, strings.ContainsAny(address, "\r\n\t ,;<>\"()[]\\"), "%q", address)
		all, err := netmail.ParseAddressList(address)
		require.NoError(t, err, "%q", address)
		require.Len(t, all, 1)
		require.Equal(t, address, all[0].Address)
		again, ok := mail.Address(address)
		require.True(t, ok)
		require.Equal(t, address, again, "reading twice changes nothing")
	})
}

func TestNoControlCharacterReachesAHeader(t *testing.T) {
	require.Equal(t, "Hello Bcc: bob@example.com", mail.Line("Hello\r\nBcc: bob@example.com"))
	require.Equal(t, "a b c", mail.Line(" a\x00b\u2028c\t"))
	require.Equal(t, "a�b", mail.Line("a\xffb"))
	rapid.Check(t, func(t *rapid.T) {
		line := mail.Line(rapid.String().Draw(t, "text"))
		require.False(t, strings.ContainsAny(line, "\r\n\x00\x7f\u0085\u2028"))
	})
}

var sender = mail.Sender{From: "Röll-out team <rollout@example.com>", ReplyTo: "help@example.com"}

// compose is a message as a mail program reads it.
func compose(t *testing.T, m mail.Outgoing) (header netmail.Header, text, html string) {
	t.Helper()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	msg, err := sender.Compose("workspaces/default/mails/m1", at, mail.Recipient{Email: "ada@example.com", Language: "de"}, m)
	require.NoError(t, err)
	var raw bytes.Buffer
	_, err = msg.WriteTo(&raw)
	require.NoError(t, err)
	parsed, err := netmail.ReadMessage(&raw)
	require.NoError(t, err)
	kind, params, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	parts := multipart.NewReader(parsed.Body, params["boundary"])
	for _, want := range []string{"text/plain", "text/html"} {
		part, err := parts.NextRawPart()
		require.NoError(t, err)
		kind, params, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		require.NoError(t, err)
		require.Equal(t, want, kind)
		require.Equal(t, "UTF-8", params["charset"])
		require.Equal(t, "quoted-printable", part.Header.Get("Content-Transfer-Encoding"))
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		require.NoError(t, err)
		if want == "text/plain" {
			text = string(body)
		} else {
			html = string(body)
		}
	}
	_, err = parts.NextPart()
	require.ErrorIs(t, err, io.EOF)
	return parsed.Header, text, html
}

func TestAMessageIsAnEMail(t *testing.T) {
	header, text, html := compose(t, mail.Outgoing{
		Subject: "Grüße: it begins ✓",
		Text:    "Hello,\n\n- on **Monday**\n- see [the page](https://example.com/?a=1&b=2)\n\nGrüße",
	})
	subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, "Grüße: it begins ✓", subject)
	from, err := netmail.ParseAddress(header.Get("From"))
	require.NoError(t, err)
	require.Equal(t, "Röll-out team", from.Name)
	require.Equal(t, "<ada@example.com>", header.Get("To"))
	require.Equal(t, "<help@example.com>", header.Get("Reply-To"))
	require.Equal(t, "<workspaces.default.mails.m1@example.com>", header.Get("Message-Id"))
	require.Equal(t, "<mailto:help@example.com?subject=unsubscribe>", header.Get("List-Unsubscribe"))
	require.Equal(t, "auto-generated", header.Get("Auto-Submitted"), "so that no absence notice answers")
	require.Equal(t, "1.0", header.Get("Mime-Version"))
	date, err := header.Date()
	require.NoError(t, err)
	require.True(t, date.Equal(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), "the date does not change with the attempt")

	require.Contains(t, text, "Grüße")
	require.Contains(t, text, "unsubscribe")
	require.Contains(t, html, `<html lang="de">`)
	require.Contains(t, html, "<strong>Monday</strong>")
	require.Contains(t, html, `<a href="https://example.com/?a=1&amp;b=2">the page</a>`)
}

func TestNothingInAMessageBreaksOut(t *testing.T) {
	header, _, html := compose(t, mail.Outgoing{
		Subject: "Hi\r\nBcc: eve@example.com\r\n\r\n<script>alert(1)</script>",
		Text:    "<script>alert(1)</script>\n\n<img src=https://example.com/pixel>\n\n[x](javascript:alert(1))\r\n.\r\nMAIL FROM:<eve@example.com>",
	})
	require.Empty(t, header.Get("Bcc"))
	require.Equal(t, "Hi Bcc: eve@example.com <script>alert(1)</script>", header.Get("Subject"))
	require.NotContains(t, html, "<script")
	require.NotContains(t, html, "<img")
	require.NotContains(t, html, "javascript:")
	require.Contains(t, html, "<title>Hi Bcc: eve@example.com &lt;script&gt;")
}

func TestAnInvitationSaysWhatWhenAndWhere(t *testing.T) {
	course := mail.Course{
		Title: "CRM\r\nbasics", Note: "Dear all,", Place: "Room 4", Link: "https://example.com/crm",
		Start: time.Date(2026, 3, 9, 9, 0, 0, 0, time.UTC), End: time.Date(2026, 3, 9, 11, 30, 0, 0, time.UTC),
		Due: time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC),
	}
	subject, text := course.Words(implementationv1.Mail_INVITATION)
	require.Equal(t, "You are invited: CRM basics", subject)
	require.Equal(t, "Dear all,\n\nPlease take the training \"CRM basics\".\n\n- When: Monday, 9 March 2026, 09:00 to 11:30 UTC\n- Where: Room 4\n\n"+
		"Please do it by Friday, 20 March 2026.\n\nHere is where to begin: <https://example.com/crm>\n", text)
	subject, text = mail.Course{Title: "CRM"}.Words(implementationv1.Mail_REMINDER)
	require.Equal(t, "Still to be done: CRM", subject)
	require.Equal(t, "You have not yet taken the training \"CRM\".\n", text)
}

func TestASenderIsCheckedBeforeAnythingIsSent(t *testing.T) {
	require.NoError(t, sender.Check())
	require.ErrorContains(t, mail.Sender{}.Check(), "sender")
	require.ErrorContains(t, mail.Sender{From: "rollout@example.com\r\nBcc: x@example.com"}.Check(), "sender")
	require.ErrorContains(t, mail.Sender{From: "rollout@example.com", ReplyTo: "help"}.Check(), "answers")
}
