package gate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/blob"
	"github.com/golive-dev/golive/services/deployment/internal/gate"
	"github.com/golive-dev/golive/services/deployment/internal/store"
	"github.com/golive-dev/golive/services/deployment/internal/storetest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// tables is what every database of the tests of this package has.
var tables = storetest.Tables()

// limited is a real server that carries so many requests a second and refuses the rest.
func limited(t *testing.T, perSecond float64) *httptest.Server {
	t.Helper()
	capacity := rate.NewLimiter(rate.Limit(perSecond), 5)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !capacity.Allow() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestALoadTestFindsWhatAnInstanceCarries(t *testing.T) {
	t.Parallel()
	s := limited(t, 200)
	load := gate.Measure(t.Context(), s.Client(), &deploymentv1.LoadTest{
		Url: s.URL, StartRate: 60, MaxRate: 2000, Step: durationpb.New(300 * time.Millisecond), Latency: durationpb.New(3 * time.Second), ErrorShare: 0.02,
	})
	require.Empty(t, load.Problem)
	require.GreaterOrEqual(t, load.Peak, 60.0, "%v", load.Steps)
	require.LessOrEqual(t, load.Peak, 260.0, "it carries 200 a second, and a few more in a burst: %v", load.Steps)
	require.LessOrEqual(t, load.Steps[len(load.Steps)-1].Rate, 600, "it goes on far beyond what breaks: %v", load.Steps)
	// On a busy machine the rate that was not kept may be one that the test itself could not send: nothing failed then.
	broken := slices.ContainsFunc(load.Steps, func(step gate.LoadStep) bool { return !step.Kept })
	require.True(t, broken, "the rate that broke it is part of the curve: %v", load.Steps)
}

func TestALoadTestThatIsKeptToTheEndFindsTheLastRate(t *testing.T) {
	t.Parallel()
	s := limited(t, 1e9)
	load := gate.Measure(t.Context(), s.Client(), &deploymentv1.LoadTest{
		Url: s.URL, StartRate: 20, MaxRate: 40, Step: durationpb.New(200 * time.Millisecond), Latency: durationpb.New(5 * time.Second),
	})
	require.InDelta(t, 40, load.Peak, 0, "%v", load.Steps)
}

func TestALoadTestOfWhatDoesNotWorkSaysSo(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
	defer s.Close()
	load := gate.Measure(t.Context(), s.Client(), &deploymentv1.LoadTest{Url: s.URL, StartRate: 20, Step: durationpb.New(100 * time.Millisecond)})
	require.Zero(t, load.Peak)
	require.Equal(t, "it answers nothing with success", load.Problem)
	require.Len(t, load.Steps, 1, "what fails at once is not asked faster")

	ended, stop := context.WithCancel(t.Context())
	stop()
	load = gate.Measure(ended, s.Client(), &deploymentv1.LoadTest{Url: s.URL})
	require.Zero(t, load.Peak)
	require.NotEmpty(t, load.Problem)
}

// files has archives by their digest, or an error.
type files map[string]string

func (f files) Stat(_ context.Context, _, sha string) (blob.Info, error) {
	content, ok := f[sha]
	if !ok {
		return blob.Info{}, fault.NotFound("BLOB_NOT_FOUND", "none")
	}
	if content == "broken" {
		return blob.Info{}, errors.New("the disk is gone")
	}
	return blob.Info{SHA256: sha, Size: int64(len(content))}, nil
}

func (f files) Read(_ context.Context, _, sha string, _ int64) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(f[sha])), nil
}

// bundle is gates over a store with an application, a release of one archive, and an environment.
type bundle struct {
	*gate.Gates

	store    *store.Store
	measured chan string
}

// helloDigest is the SHA-256 of "hello".
const helloDigest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

func setup(t *testing.T, db *sqldb.DB, blobs files, publicOnly bool) *bundle {
	t.Helper()
	st, err := store.Over(t.Context(), db, db, store.Config{})
	require.NoError(t, err)
	ctx, r := t.Context(), st.Resources
	_, err = store.Applications.Create(ctx, r, &deploymentv1.CreateApplicationRequest{Parent: ws, ApplicationId: "shop", Application: &deploymentv1.Application{}})
	require.NoError(t, err)
	_, err = store.Environments.Create(ctx, r, &deploymentv1.CreateEnvironmentRequest{Parent: ws, EnvironmentId: "prod", Environment: &deploymentv1.Environment{}})
	require.NoError(t, err)
	_, err = store.Releases.Create(ctx, r, &deploymentv1.CreateReleaseRequest{Parent: shop, ReleaseId: "v2", Release: &deploymentv1.Release{
		Version: "2.0.0", Run: &deploymentv1.RunSpec{Command: []string{"bin/app"}},
		Artifacts: []*deploymentv1.Artifact{{Os: "linux", Arch: "amd64", Sha256: helloDigest, SizeBytes: 5}},
	}})
	require.NoError(t, err)
	b := &bundle{store: st, measured: make(chan string, 10)}
	b.Gates = gate.New(gate.Config{Store: st, Blobs: blobs, PublicOnly: publicOnly, Measured: func(_ context.Context, d string) { b.measured <- d }})
	return b
}

func TestAWebhookIsSentTheWave(t *testing.T) {
	t.Parallel()
	tables.Each(t, func(t *testing.T, db *sqldb.DB) {
		b := setup(t, db, nil, false)
		var status atomic.Int64
		got := make(chan string, 10)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			got <- string(body)
			w.WriteHeader(int(status.Load()))
			_, _ = io.WriteString(w, `{"reasons": ["change 17 is open"]}`)
		}))
		defer s.Close()
		q := asking(t, fmt.Sprintf(`webhook { url: "%s/hook" }`, s.URL))
		status.Store(http.StatusForbidden)
		v := b.Ask(t.Context(), q)
		require.Equal(t, gatev1.Verdict_WAIT, v.GetState(), "%v", v)
		require.Equal(t, "change 17 is open", v.GetReasons()[0].GetCurrent())
		body := <-got
		for _, part := range []string{`"gate":"g"`, `"deployment":"` + shop + `/deployments/d"`, `"environment":"` + prod + `"`, `"release":"` + v2 + `"`} {
			require.Contains(t, body, part)
		}
		status.Store(http.StatusOK)
		require.Equal(t, gatev1.Verdict_PASS, b.Ask(t.Context(), q).GetState())
	})
}

func TestAWebhookThatIsSilentHoldsTheWaveAndNotTheEngine(t *testing.T) {
	t.Parallel()
	b := setup(t, tables.Databases(t)[0].Open(t), nil, false)
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer s.Close()
	defer close(release)
	v := b.Ask(t.Context(), asking(t, fmt.Sprintf(`webhook { url: "%s" timeout { nanos: 50000000 } }`, s.URL)))
	require.Equal(t, gatev1.Verdict_UNKNOWN, v.GetState())
	require.Equal(t, "it did not answer within 50ms", v.GetReasons()[0].GetCurrent())
}

func TestNoAddressLeadsToWhatOnlyTheServerReaches(t *testing.T) {
	t.Parallel()
	b, public := setup(t, tables.Databases(t)[0].Open(t), nil, false), setup(t, tables.Databases(t)[0].Open(t), nil, true)
	aside := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusTemporaryRedirect))
	defer aside.Close()
	for _, address := range []string{
		"http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/", "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://100.100.100.200/",
		"http://0.0.0.0/", "http://[::]/", "http://224.0.0.1/", "http://[64:ff9b::a9fe:a9fe]/",
	} {
		v := b.Ask(t.Context(), asking(t, fmt.Sprintf(`webhook { url: "%s" timeout { seconds: 2 } }`, address)))
		require.Equal(t, gatev1.Verdict_UNKNOWN, v.GetState(), address)
		require.Contains(t, v.GetReasons()[0].GetCurrent(), "its address is refused", address)
	}
	v := b.Ask(t.Context(), asking(t, fmt.Sprintf(`webhook { url: "%s" }`, aside.URL)))
	require.Contains(t, v.GetReasons()[0].GetCurrent(), "answered 307", "a redirect is an answer, and not followed")
	v = public.Ask(t.Context(), asking(t, fmt.Sprintf(`webhook { url: "%s" }`, aside.URL)))
	require.Contains(t, v.GetReasons()[0].GetCurrent(), "its address is refused", "where only public addresses are asked, this machine is none")
	load := `capacity { forecast_peak: 1 load_test { url: "http://169.254.169.254/" start_rate: 5 max_rate: 5 step { nanos: 100000000 } } }`
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.Run(ctx) }()
	b.Ask(ctx, asking(t, load))
	<-b.measured
	v = b.Ask(ctx, asking(t, load))
	stop()
	require.NoError(t, <-done)
	require.Contains(t, v.GetReasons()[0].GetCurrent(), "the load test failed", "%v", v)
}

func TestArchivesAreReadAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		blobs files
		state gatev1.Verdict_State
		says  string
	}{
		"right":          {files{helloDigest: "hello"}, gatev1.Verdict_PASS, ""},
		"missing":        {files{}, gatev1.Verdict_FAIL, "is missing"},
		"damaged":        {files{helloDigest: "hallo"}, gatev1.Verdict_FAIL, "is damaged"},
		"short":          {files{helloDigest: "hell"}, gatev1.Verdict_FAIL, "has 4 bytes instead of 5"},
		"not to be read": {files{helloDigest: "broken"}, gatev1.Verdict_UNKNOWN, "could not be found out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, tables.Databases(t)[0].Open(t), c.blobs, false)
			v := b.Ask(t.Context(), asking(t, `integrity {}`))
			require.Equal(t, c.state.String(), v.GetState().String(), "%v", v)
			if c.says != "" {
				require.Contains(t, v.GetReasons()[0].GetCurrent(), c.says)
			}
		})
	}
	b := setup(t, tables.Databases(t)[0].Open(t), files{helloDigest: "hello"}, false)
	v := b.Ask(t.Context(), asking(t, `integrity { signature: true }`))
	require.Equal(t, gatev1.Verdict_FAIL, v.GetState())
	require.Contains(t, v.GetReasons()[0].GetCurrent(), "sign")
}

func TestALoadTestIsDoneOnceAndKept(t *testing.T) {
	t.Parallel()
	tables.Each(t, func(t *testing.T, db *sqldb.DB) {
		b := setup(t, db, nil, false)
		var asked atomic.Int64
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
		defer s.Close()
		q := asking(t, fmt.Sprintf(`capacity { forecast_peak: 1 load_test { url: "%s" start_rate: 20 max_rate: 30 step { nanos: 100000000 } latency { seconds: 5 } } }`, s.URL))
		v := b.Ask(t.Context(), q)
		require.Equal(t, gatev1.Verdict_WAIT, v.GetState())
		require.Equal(t, "a load test begins", v.GetReasons()[0].GetCurrent())
		b.Ask(t.Context(), q) // a second question for the same test

		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx) }()
		require.Equal(t, shop+"/deployments/d", <-b.measured, "whoever waits is told")
		stop()
		require.NoError(t, <-done)
		requests := asked.Load()
		require.Positive(t, requests)

		again := gate.New(gate.Config{Store: b.store, Blobs: files{}}) // as after a restart
		v = again.Ask(t.Context(), q)
		require.Equal(t, gatev1.Verdict_WAIT, v.GetState(), "nothing runs, so there is no headroom")
		require.Contains(t, v.GetReasons()[0].GetCurrent(), "headroom 0.00")
		var curve []string
		for _, e := range v.GetEvidence() {
			if e.GetCriterion() == "load_step" {
				curve = append(curve, e.GetDetail())
			}
		}
		require.Len(t, curve, 2, "the curve is kept as evidence: %v", v.GetEvidence())
		require.Equal(t, requests, asked.Load(), "nothing is measured again")
	})
}
