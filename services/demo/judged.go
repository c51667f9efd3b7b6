package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

const (
	// counter is the name under which the witness's counts are pushed.
	counter = "http_errors"
	// pushEvery is how often they are, several times an interval of the analysis.
	pushEvery = 50 * time.Millisecond
	// measureEvery is that interval; a product would take a minute.
	measureEvery = 200 * time.Millisecond
)

// Fourth brings a version that answers every probe and fails its users. It is judged by what they got.
func (d *Demo) Fourth(ctx context.Context) (err error) {
	d.say("Version 4.0.0 answers every probe, and fails one request in three. Who asks for it counts, and the counts are pushed to the API.")
	stop := d.push(ctx)
	defer func() { err = errors.Join(err, stop()) }()
	began, before := time.Now(), d.Witness.Counts()
	name, err := d.Deploy(ctx, "fourth", "4.0.0", d.judged(2*time.Second))
	if err != nil {
		return err
	}
	if err := d.Reach(ctx, name, deploymentv1.Deployment_FAILED); err != nil {
		return err
	}
	if err := d.verdict(ctx, name+"/waves/pilot", gatev1.Verdict_FAIL); err != nil {
		return err
	}
	if err := d.Expect(ctx, map[string]string{"pilot": "2.0.0", "sales": "2.0.0", "warehouse": "2.0.0"}); err != nil {
		return err
	}
	after := d.Witness.Counts()
	bad, fell := after["4.0.0"], after["2.0.0"].Bad-before["2.0.0"].Bad
	if bad.Bad == 0 || fell > 0 {
		return fmt.Errorf("4.0.0 failed %d of %d requests and 2.0.0 failed %d; only the former should", bad.Bad, bad.Total, fell)
	}
	if err := d.untouched(ctx, name, began); err != nil {
		return err
	}
	d.say("No probe had failed. It was taken back after it had failed %d requests of %d.", bad.Bad, bad.Total)
	return nil
}

// judged is by cohort, and the pilot is judged by the errors of its users against those who still run the version before.
func (d *Demo) judged(bake time.Duration) *deploymentv1.Rollout {
	out := d.byCohort(bake)
	out.Waves[0].Analysis = &deploymentv1.AnalysisRule{
		Interval: durationpb.New(measureEvery), MaxDuration: durationpb.New(patience),
		Metrics: []*deploymentv1.MetricRule{{
			Id: "errors", Source: &deploymentv1.MetricRule_Pushed{Pushed: &deploymentv1.PushedSource{Counter: counter}}, AbsoluteMargin: 0.05,
		}},
	}
	return out
}

// verdict checks what the analysis of a wave says, and tells why.
func (d *Demo) verdict(ctx context.Context, wave string, want gatev1.Verdict_State) error {
	a, err := d.analyses.GetAnalysis(ctx, &deploymentv1.GetAnalysisRequest{Name: wave + "/analyses/errors"})
	if err != nil {
		return err
	}
	if a.GetState() != want {
		return fmt.Errorf("the analysis of %s says %s instead of %s: %s", wave, a.GetState(), want, a.GetReason())
	}
	d.note("%-10s %-9s %s", "analysis", a.GetState(), a.GetReason())
	return nil
}

// push sends what the witness counts, by version, until it is stopped; stopping says whether all of it was taken.
func (d *Demo) push(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		tick := time.NewTicker(pushEvery)
		defer tick.Stop()
		from, sent := time.Now(), d.Witness.Counts()
		for {
			select {
			case <-ctx.Done():
				ended <- nil
				return
			case to := <-tick.C:
				counts := d.Witness.Counts()
				if err := d.report(ctx, from, to, sent, counts); err != nil && ctx.Err() == nil {
					ended <- fmt.Errorf("push samples: %w", err)
					return
				}
				from, sent = to, counts
			}
		}
	}()
	return func() error {
		cancel()
		return <-ended
	}
}

func (d *Demo) report(ctx context.Context, from, to time.Time, sent, counts map[string]Count) error {
	req := &deploymentv1.ReportSamplesRequest{Parent: Application}
	for version, count := range counts {
		if total := count.Total - sent[version].Total; total > 0 {
			req.Samples = append(req.Samples, &deploymentv1.Sample{
				Release: Application + "/releases/" + ReleaseID(version), Counter: counter, Source: "witness", Environment: Environment,
				StartTime: timestamppb.New(from), EndTime: timestamppb.New(to), Total: total, Bad: count.Bad - sent[version].Bad,
			})
		}
	}
	if len(req.GetSamples()) == 0 {
		return nil
	}
	_, err := d.analyses.ReportSamples(ctx, req)
	return err
}
