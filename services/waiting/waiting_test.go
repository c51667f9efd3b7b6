package waiting_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/waiting"
)

const (
	ws    = "workspaces/default"
	wave  = ws + "/applications/crm/deployments/d1/waves/sales"
	prior = ws + "/applications/crm/deployments/d1/waves/canary"
	plan  = ws + "/implementations/crm/cohortPlans/sales"
	other = ws + "/implementations/crm/stages/build"
)

// service is one half that says what it is told to.
type service struct {
	mu    sync.Mutex
	waits map[string]*waitingv1.Explanation
	all   []*waitingv1.Waiting
	asked map[string]int
	fail  error
}

func newService() *service {
	return &service{waits: map[string]*waitingv1.Explanation{}, asked: map[string]int{}}
}

// put makes a resource wait for others; for itself where none are named.
func (s *service) put(resource string, on ...string) {
	e := &waitingv1.Explanation{Waiting: &waitingv1.Waiting{Resource: resource, State: "WAITS", Owner: "users/ada", Since: timestamppb.New(time.Unix(1, 0))}}
	if len(on) == 0 {
		on = []string{resource}
	}
	for _, name := range on {
		e.Waiting.BlockedBy = append(e.Waiting.BlockedBy, &gatev1.BlockedBy{Kind: gatev1.BlockedBy_READINESS, Resource: name, Required: "done by " + name})
	}
	s.waits[resource] = e
}

func (s *service) ExplainWaiting(ctx context.Context, req *waitingv1.ExplainWaitingRequest, _ ...grpc.CallOption) (*waitingv1.Explanation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[req.GetResource()]++
	if _, bounded := ctx.Deadline(); !bounded {
		return nil, fault.Internal("NO_DEADLINE", "each question has a deadline")
	}
	switch e := s.waits[req.GetResource()]; {
	case s.fail != nil:
		return nil, s.fail
	case e == nil:
		return nil, fault.NotFound("RESOURCE_NOT_FOUND", "there is no %s", req.GetResource())
	default:
		return e, nil
	}
}

// ListWaiting pages as the services do: by a token that is the place of the last one, in the order of the contract.
func (s *service) ListWaiting(_ context.Context, req *waitingv1.ListWaitingRequest, _ ...grpc.CallOption) (*waitingv1.ListWaitingResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	sorted := slices.SortedFunc(slices.Values(s.all), ordered(req.GetOrderBy()))
	start := 0
	if req.GetPageToken() != "" {
		last := &waitingv1.Waiting{}
		if err := proto.Unmarshal([]byte(req.GetPageToken()), last); err != nil {
			return nil, err
		}
		for start < len(sorted) && ordered(req.GetOrderBy())(sorted[start], last) <= 0 {
			start++
		}
	}
	end := min(len(sorted), start+int(req.GetPageSize()))
	resp := &waitingv1.ListWaitingResponse{Waiting: sorted[start:end]}
	if end < len(sorted) {
		token, err := proto.Marshal(sorted[end-1])
		if err != nil {
			return nil, err
		}
		resp.NextPageToken = string(token)
	}
	return resp, nil
}

func ordered(by string) func(a, b *waitingv1.Waiting) int {
	oldest := func(a, b *waitingv1.Waiting) int {
		return cmp.Or(a.GetSince().AsTime().Compare(b.GetSince().AsTime()), strings.Compare(a.GetResource(), b.GetResource()))
	}
	switch by {
	case "since desc":
		return func(a, b *waitingv1.Waiting) int { return oldest(b, a) }
	case "owner":
		return func(a, b *waitingv1.Waiting) int {
			return cmp.Or(strings.Compare(a.GetOwner(), b.GetOwner()), oldest(a, b))
		}
	default:
		return oldest
	}
}

func pair() (d, i *service, peers waiting.Peers) {
	d, i = newService(), newService()
	return d, i, waiting.Peers{Deployment: d, Implementation: i}
}

func resources(all []*waitingv1.Waiting) (names []string) {
	for _, w := range all {
		names = append(names, w.GetResource())
	}
	return names
}

func causes(e *waitingv1.Explanation) (names []string) {
	for _, b := range e.GetRootCauses() {
		names = append(names, b.GetResource())
	}
	return names
}

func TestReasonsAreFollowedThroughBothServicesToTheirEnds(t *testing.T) {
	t.Parallel()
	d, i, peers := pair()
	training := ws + "/trainings/basics"
	d.put(wave, prior, plan)
	d.put(prior)
	i.put(plan, training, other)
	i.put(other)

	e, err := waiting.Explain(t.Context(), peers, wave)
	require.NoError(t, err)
	require.Equal(t, wave, e.GetWaiting().GetResource())
	require.Equal(t, []string{prior, plan, other}, resources(e.GetBehind()), "nearest first, each once")
	require.ElementsMatch(t, []string{prior, training, other}, causes(e), "what nothing is behind, or nobody can tell more about")
	require.Empty(t, e.GetCycle())
	require.Empty(t, e.GetUnreachable())
	for name, times := range d.asked {
		require.Equal(t, 1, times, name)
	}
}

// An agent that nothing names, but that its service puts behind what waits, is an end of the search too; what such a thing
// names is followed.
func TestWhatAServicePutsBehindIsReached(t *testing.T) {
	t.Parallel()
	d, _, peers := pair()
	agent, run := ws+"/agents/left", ws+"/applications/crm/deployments/d1/migrationRuns/r1"
	d.put(wave)
	d.put(agent, agent, run)
	d.put(run)
	d.waits[wave].Behind = []*waitingv1.Waiting{d.waits[agent].GetWaiting()}
	e, err := waiting.Explain(t.Context(), peers, wave)
	require.NoError(t, err)
	require.Equal(t, []string{agent, run}, resources(e.GetBehind()))
	require.Equal(t, []string{wave, agent, run}, causes(e))
}

// A wave repeats the reasons of the cohort plan behind its gate, so that it says enough alone; the way goes through the plan all the same.
func TestAReasonThatIsRepeatedLeadsToItsKeeper(t *testing.T) {
	t.Parallel()
	d, i, peers := pair()
	training, unrelated := ws+"/trainings/basics", ws+"/implementations/crm/cohortPlans/unrelated"
	d.put(wave, training)
	d.waits[wave].DependsOn = []string{plan, unrelated, prior}
	i.put(plan, training)
	i.put(unrelated, ws+"/trainings/other")
	e, err := waiting.Explain(t.Context(), peers, wave)
	require.NoError(t, err)
	require.Equal(t, []string{plan}, resources(e.GetBehind()))
	require.Equal(t, []string{training}, causes(e))
	require.Zero(t, d.asked[prior], "what it depends on in its own service is named by reasons where it matters")
	require.Zero(t, i.asked[ws+"/trainings/other"])
}

func TestWhatDoesNotWaitHasNoCauses(t *testing.T) {
	t.Parallel()
	d, _, peers := pair()
	d.waits[wave] = &waitingv1.Explanation{Waiting: &waitingv1.Waiting{Resource: wave, State: "SEALED"}, DependsOn: []string{plan}}
	e, err := waiting.Explain(t.Context(), peers, wave)
	require.NoError(t, err)
	require.Empty(t, e.GetRootCauses())
	require.Empty(t, e.GetBehind())

	_, err = waiting.Explain(t.Context(), peers, plan)
	require.Equal(t, fault.KindNotFound, fault.KindOf(err))
	_, err = waiting.Explain(t.Context(), peers, ws)
	require.Equal(t, "WAITING_UNSUPPORTED", fault.ReasonOf(err))
	_, err = waiting.Explain(t.Context(), peers, ws+"/nothings/x")
	require.Equal(t, "RESOURCE_NOT_FOUND", fault.ReasonOf(err))
}

func TestACircleIsReportedWithItsPath(t *testing.T) {
	t.Parallel()
	d, i, peers := pair()
	d.put(wave, plan)
	i.put(plan, wave)
	e, err := waiting.Explain(t.Context(), peers, wave)
	require.NoError(t, err)
	require.Equal(t, []string{wave, plan, wave}, e.GetCycle())
	require.Len(t, e.GetRootCauses(), 1, "where everything waits for everything, the circle is the cause")
	require.Equal(t, gatev1.BlockedBy_CYCLE, e.GetRootCauses()[0].GetKind())

	d.put(wave, plan)
	i.put(plan) // waits for its people now, and by its plan for the wave
	i.waits[plan].DependsOn = []string{wave}
	e, err = waiting.Explain(t.Context(), peers, wave)
	require.NoError(t, err)
	require.Equal(t, []string{wave, plan, wave}, e.GetCycle())
	require.Equal(t, []string{plan}, causes(e))
}

func TestASilentServiceEndsTheSearchAndIsNamed(t *testing.T) {
	t.Parallel()
	d, i, peers := pair()
	second := ws + "/implementations/crm/cohortPlans/other"
	d.put(wave, plan, second, prior)
	d.put(prior, second)
	i.fail = fault.Unavailable("DOWN", "down")
	e, err := waiting.Explain(t.Context(), peers, wave)
	require.NoError(t, err)
	require.Equal(t, []string{"implementation"}, e.GetUnreachable())
	require.ElementsMatch(t, []string{plan, second}, causes(e))
	require.Equal(t, []string{prior}, resources(e.GetBehind()))

	_, err = waiting.Explain(t.Context(), peers, plan)
	require.Equal(t, fault.KindUnavailable, fault.KindOf(err), "nobody knows anything about it")
}

func TestASearchIsBounded(t *testing.T) {
	t.Parallel()
	d, _, peers := pair()
	name := func(n int) string {
		return ws + "/applications/crm/deployments/d1/waves/w" + strconv.Itoa(n)
	}
	for n := range 1000 {
		d.put(name(n), name(n+1))
	}
	e, err := waiting.Explain(t.Context(), peers, name(0))
	require.NoError(t, err)
	require.Len(t, d.asked, 200)
	require.Equal(t, []string{name(200)}, causes(e), "the search ended there")
}

func TestTwoListsAreReadAsOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d, i, peers := pair()
		var all []*waitingv1.Waiting
		for n := range rapid.IntRange(0, 40).Draw(t, "things") {
			w := &waitingv1.Waiting{
				Resource: fmt.Sprintf("%s/%c/%d", ws, 'a'+n%3, n),
				Since:    timestamppb.New(time.Unix(int64(rapid.IntRange(1, 5).Draw(t, "since")), 0)),
				Owner:    rapid.SampledFrom([]string{"", "users/ada", "users/bob"}).Draw(t, "owner"),
			}
			all = append(all, w)
			if rapid.Bool().Draw(t, "of people") {
				i.all = append(i.all, w)
			} else {
				d.all = append(d.all, w)
			}
		}
		by := rapid.SampledFrom([]string{"", "since", "since desc", "owner"}).Draw(t, "order")
		slices.SortFunc(all, ordered(by))
		req := &waitingv1.ListWaitingRequest{Parent: ws, OrderBy: by, PageSize: int32(rapid.IntRange(1, 9).Draw(t, "size"))}
		var got []string
		for pages := 0; ; pages++ {
			resp, err := waiting.List(t.Context(), peers, req)
			require.NoError(t, err)
			require.LessOrEqual(t, len(resp.GetWaiting()), int(req.GetPageSize()))
			require.False(t, len(resp.GetWaiting()) == 0 && resp.GetNextPageToken() != "", "a page that is not the last has something")
			got = append(got, resources(resp.GetWaiting())...)
			if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
				break
			}
			require.Less(t, pages, 100)
		}
		require.Equal(t, resources(all), got)
	})
}

func TestAListGoesOnWithOneHalf(t *testing.T) {
	t.Parallel()
	d, i, peers := pair()
	at := func(n int64, name string) *waitingv1.Waiting {
		return &waitingv1.Waiting{Resource: name, Since: timestamppb.New(time.Unix(n, 0))}
	}
	d.all = []*waitingv1.Waiting{at(1, "d1"), at(3, "d3"), at(5, "d5")}
	i.all = []*waitingv1.Waiting{at(2, "i2"), at(4, "i4")}
	i.fail = fault.Unavailable("DOWN", "down")
	req := &waitingv1.ListWaitingRequest{Parent: ws, PageSize: 2}
	resp, err := waiting.List(t.Context(), peers, req)
	require.NoError(t, err)
	require.Equal(t, []string{"d1", "d3"}, resources(resp.GetWaiting()))
	require.Equal(t, []string{"implementation"}, resp.GetUnreachable())

	i.fail = nil // it is back: nothing of it is left out
	req.PageToken = resp.GetNextPageToken()
	resp, err = waiting.List(t.Context(), peers, req)
	require.NoError(t, err)
	require.Equal(t, []string{"i2", "i4"}, resources(resp.GetWaiting()))
	require.Empty(t, resp.GetUnreachable())
	req.PageToken = resp.GetNextPageToken()
	resp, err = waiting.List(t.Context(), peers, req)
	require.NoError(t, err)
	require.Equal(t, []string{"d5"}, resources(resp.GetWaiting()))
	require.Empty(t, resp.GetNextPageToken())

	i.fail, d.fail = fault.Unavailable("DOWN", "down"), fault.Unavailable("DOWN", "down")
	_, err = waiting.List(t.Context(), peers, &waitingv1.ListWaitingRequest{Parent: ws})
	require.Equal(t, fault.KindUnavailable, fault.KindOf(err))
	d.fail = nil
	i.fail = fault.Denied("DENIED", "no")
	_, err = waiting.List(t.Context(), peers, &waitingv1.ListWaitingRequest{Parent: ws})
	require.Equal(t, fault.KindDenied, fault.KindOf(err), "a refusal is not silence")
}

func TestATokenBelongsToItsList(t *testing.T) {
	t.Parallel()
	d, _, peers := pair()
	for n := range int64(3) {
		d.all = append(d.all, &waitingv1.Waiting{Resource: fmt.Sprint(n), Since: timestamppb.New(time.Unix(n, 0))})
	}
	resp, err := waiting.List(t.Context(), peers, &waitingv1.ListWaitingRequest{Parent: ws, PageSize: 1})
	require.NoError(t, err)
	token := resp.GetNextPageToken()
	_, err = waiting.List(t.Context(), peers, &waitingv1.ListWaitingRequest{Parent: ws, PageToken: token, OrderBy: "since"})
	require.NoError(t, err, "the order that is meant when none is said")
	for name, req := range map[string]*waitingv1.ListWaitingRequest{
		"parent": {Parent: "workspaces/other", PageToken: token}, "owner": {Parent: ws, PageToken: token, Owner: "users/ada"},
		"kinds": {Parent: ws, PageToken: token, Kinds: []string{"wave"}}, "group": {Parent: ws, PageToken: token, Group: "x"},
		"order": {Parent: ws, PageToken: token, OrderBy: "owner"},
	} {
		_, err = waiting.List(t.Context(), peers, req)
		require.Equal(t, "PAGE_TOKEN_MISMATCH", fault.ReasonOf(err), name)
	}
	for _, bad := range []string{"x", "both.", "both.!", "both.e30x", token[:len(token)-4]} {
		_, err = waiting.List(t.Context(), peers, &waitingv1.ListWaitingRequest{Parent: ws, PageToken: bad})
		require.Equal(t, fault.KindInvalid, fault.KindOf(err), bad)
	}
}

func FuzzPageToken(f *testing.F) {
	f.Add("both.e30")
	f.Add("both.eyJzIjoiIiwiZCI6e30sImkiOnt9fQ")
	f.Fuzz(func(t *testing.T, token string) {
		_, _, peers := pair()
		_, err := waiting.List(t.Context(), peers, &waitingv1.ListWaitingRequest{Parent: ws, PageToken: token})
		if err != nil {
			require.Equal(t, fault.KindInvalid, fault.KindOf(err))
		}
	})
}
