package signature_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/signature"
)

const shop, prod = "workspaces/default/applications/shop", "workspaces/default/environments/prod"

func read(tb testing.TB, name string) []byte {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(tb, err)
	return content
}

func keys(tb testing.TB, names ...string) []signature.Key {
	tb.Helper()
	var all []signature.Key
	for _, name := range names {
		some, err := signature.ParseKeyFile(read(tb, name))
		require.NoError(tb, err)
		all = append(all, some...)
	}
	return all
}

// The vectors were written by minisign 0.11.
func TestBothFormsOfMinisignAreTaken(t *testing.T) {
	t.Parallel()
	document := read(t, "manifest.json")
	for _, form := range []string{"manifest.hashed.minisig", "manifest.legacy.minisig"} {
		r, err := signature.ReadRelease(document, string(read(t, form)), keys(t, "b.pub", "a.pub")...)
		require.NoError(t, err, form)
		require.EqualValues(t, 7, r.Counter)
		require.NoError(t, r.About(shop, "2.1.0"))
		require.ErrorIs(t, r.About(shop, "2.1.1"), signature.ErrMismatch)
		require.ErrorIs(t, r.About(shop+"x", "2.1.0"), signature.ErrMismatch)
		archive := signature.Artifact{OS: "linux", Arch: "amd64", SHA256: strings.Repeat("1", 64), Size: 1}
		require.NoError(t, r.Lists(archive))
		archive.Size++
		require.ErrorIs(t, r.Lists(archive), signature.ErrMismatch)
		require.NoError(t, r.Current(r.Expires.Add(-time.Nanosecond)))
		require.ErrorIs(t, r.Current(r.Expires), signature.ErrExpired, "half-open: at its end it has ended")
	}
}

func TestAnOrderAllowsWhatItNames(t *testing.T) {
	t.Parallel()
	o, err := signature.ReadRollback(read(t, "order.json"), string(read(t, "order.minisig")), keys(t, "a.pub")...)
	require.NoError(t, err)
	before := o.Expires.Add(-time.Hour)
	require.NoError(t, o.Allows(shop, prod, 6, before))
	require.NoError(t, o.Allows(shop, prod, 7, before))
	require.ErrorIs(t, o.Allows(shop, prod, 5, before), signature.ErrMismatch)
	require.ErrorIs(t, o.Allows(shop, prod+"2", 6, before), signature.ErrMismatch)
	require.ErrorIs(t, o.Allows(shop+"2", prod, 6, before), signature.ErrMismatch)
	require.ErrorIs(t, o.Allows(shop, prod, 6, o.Expires), signature.ErrExpired)
	_, err = signature.ReadRelease(read(t, "order.json"), string(read(t, "order.minisig")), keys(t, "a.pub")...)
	require.ErrorIs(t, err, signature.ErrDocument, "an order is no manifest")
	_, err = signature.ReadRollback(read(t, "manifest.json"), string(read(t, "manifest.hashed.minisig")), keys(t, "a.pub")...)
	require.ErrorIs(t, err, signature.ErrDocument, "a manifest is no order")
}

func TestNoBitMayBeOther(t *testing.T) {
	t.Parallel()
	trusted := keys(t, "a.pub")
	document, signed := read(t, "manifest.json"), string(read(t, "manifest.hashed.minisig"))
	for i := range document {
		other := bytes.Clone(document)
		other[i] ^= 1
		require.ErrorIs(t, signature.Verify(other, signed, trusted...), signature.ErrSignature, "byte %d", i)
	}
	for _, form := range []string{signed, string(read(t, "manifest.legacy.minisig"))} {
		begin := strings.Index(form, "\n") // what stands before is the untrusted comment
		end := strings.LastIndex(strings.TrimSpace(form), "=") - 1
		for i := begin; i < end; i++ {
			other := []byte(form)
			other[i] ^= 1
			require.Error(t, signature.Verify(document, string(other), trusted...), "byte %d, %q", i, other[i])
		}
	}
	require.ErrorIs(t, signature.Verify(document, signed, keys(t, "b.pub")...), signature.ErrSignature)
	require.ErrorIs(t, signature.Verify(document, signed), signature.ErrSignature, "without keys nothing is trusted")
	require.ErrorIs(t, signature.Verify(document, "", trusted...), signature.ErrSignature)
}

func TestDocumentsAreReadStrictly(t *testing.T) {
	t.Parallel()
	public, private, err := minisign.GenerateKey(rand.Reader)
	require.NoError(t, err)
	key, err := signature.ParseKey(public.String())
	require.NoError(t, err)
	good := string(read(t, "manifest.json"))
	for name, document := range map[string]string{
		"no JSON":            "release",
		"empty":              "{}",
		"an unknown field":   strings.Replace(good, `"counter"`, `"extra":1,"counter"`, 1),
		"something after it": good + "{}",
		"no counter":         strings.Replace(good, `"counter":7,`, "", 1),
		"counter 0":          strings.Replace(good, `:7`, ":0", 1),
		"no expiry":          strings.Replace(good, `"expires":"2027-01-31T00:00:00Z",`, "", 1),
		"an odd expiry":      strings.Replace(good, `2027-01-31T00:00:00Z`, "tomorrow", 1),
		"no application":     strings.Replace(good, shop, "", 1),
		"another kind":       strings.Replace(good, `"release"`, `"Release"`, 1),
	} {
		_, err := signature.ReadRelease([]byte(document), string(minisign.Sign(private, []byte(document))), key)
		require.ErrorIs(t, err, signature.ErrDocument, name)
	}
	_, err = signature.ReadRelease([]byte(good+"\n"), string(minisign.Sign(private, []byte(good+"\n"))), key)
	require.NoError(t, err, "a newline at the end is what editors leave")
}

func TestKeyFilesHoldOneKeyOrMore(t *testing.T) {
	t.Parallel()
	both, err := signature.ParseKeyFile(append(read(t, "a.pub"), read(t, "b.pub")...))
	require.NoError(t, err)
	require.Len(t, both, 2)
	require.NoError(t, signature.Verify(read(t, "manifest.json"), string(read(t, "manifest.hashed.minisig")), both...))
	for _, bad := range []string{"", "untrusted comment: nothing else\n", "RWTvM5lH0W", "hello\n"} {
		_, err := signature.ParseKeyFile([]byte(bad))
		require.Error(t, err, "%q", bad)
	}
}

func FuzzNothingUnsignedIsRead(f *testing.F) {
	f.Add(read(f, "manifest.json"), string(read(f, "manifest.hashed.minisig")))
	f.Add(read(f, "order.json"), string(read(f, "order.minisig")))
	f.Add([]byte("{}"), "untrusted comment: \n\ntrusted comment: \n")
	trusted := keys(f, "a.pub")
	good := map[string]bool{string(read(f, "manifest.json")): true, string(read(f, "order.json")): true}
	f.Fuzz(func(t *testing.T, document []byte, signed string) {
		err := signature.Verify(document, signed, trusted...)
		require.False(t, err == nil && !good[string(document)], "%q is not signed", document)
	})
}
