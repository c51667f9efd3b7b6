package detect

import (
	"fmt"

	"github.com/golive-dev/golive/services/implementation/internal/interval"
)

// pool adds shares up.
func pool(all []Share) (sum Share) {
	for _, s := range all {
		sum.X, sum.N = sum.X+s.X, sum.N+s.N
	}
	return sum
}

// pooledWaves is how many waves make a baseline.
const pooledWaves = 4

// fell compares a share with its pooled baseline: the difference, and its Newcombe interval.
func fell(now Share, waves []Share, s Settings) (before Share, difference float64, reach interval.Interval) {
	before = pool(waves[:min(len(waves), pooledWaves)])
	difference = share(now.X, now.N) - share(before.X, before.N)
	return before, difference, interval.Newcombe(now.X, now.N, before.X, before.N, s.get("confidence"))
}

// sentimentFell is R4: the Newcombe interval of the difference to the pooled four-wave baseline is below 0.
func sentimentFell(f *Facts, s Settings) (all []Finding) {
	for _, v := range f.Sentiment {
		found := v.about(v.Wave.Name)
		found.Window, found.Aspect = v.window(), v.Survey+"#"+v.Question
		before, difference, reach := fell(v.Now, v.Baseline, s)
		if v.Now.N < s.MinGroup || before.N < s.MinGroup {
			all = append(all, found.few("answers", s))
			continue
		}
		it := reach.Upper < 0
		numbers := compared(s, v.Now, before, difference, reach)
		all = append(all, found.says(it, max(-difference, 0), numbers, "%s: %s good answers, before %s: %s",
			v.Question, counted(v.Now), counted(before), bounds(difference, reach, it)))
	}
	return all
}

// silence is R5: the response rate is ≥ 15 points below the own baseline, and the interval excludes 0.
func silence(f *Facts, s Settings) (all []Finding) {
	limit := s.get("drop")
	for _, v := range f.Silence {
		found := v.about(v.Wave.Name)
		found.Window, found.Aspect = v.window(), v.Survey
		before, difference, reach := fell(v.Now, v.Baseline, s)
		if v.Now.N < s.MinGroup || before.N < s.MinGroup {
			all = append(all, found.few("invited", s))
			continue
		}
		deep := atLeast(-difference, limit)
		it := deep && reach.Upper < 0
		numbers := compared(s, v.Now, before, difference, reach)
		all = append(all, found.says(it, max(-difference, 0), numbers, "%s answered, before %s: %s; %s %s",
			counted(v.Now), counted(before), bounds(difference, reach, reach.Upper < 0), sign(deep, "≥", "<"), points(limit)))
	}
	return all
}

func compared(s Settings, now, before Share, difference float64, reach interval.Interval) map[string]float64 {
	return s.numbers(map[string]float64{
		"now_x": float64(now.X), "now_n": float64(now.N), "baseline_x": float64(before.X), "baseline_n": float64(before.N),
		"difference": difference, "lower": reach.Lower, "upper": reach.Upper,
	})
}

// counted is "30 of 80 (37.5 %)".
func counted(v Share) string { return fmt.Sprintf("%d of %d (%s)", v.X, v.N, percent(share(v.X, v.N))) }

// bounds is a difference with its interval.
func bounds(difference float64, reach interval.Interval, excludes bool) string {
	return fmt.Sprintf("%s, interval %s to %s %s 0", points(difference), number(100*reach.Lower, 1), number(100*reach.Upper, 1),
		sign(excludes, "excludes", "includes"))
}

// remedies says what helps with each element of ADKAR (Hiatt, 2006).
func remedies() map[string]string {
	return map[string]string{
		"AWARENESS":     "Say why: the sponsor and the direct manager explain the reason, in their own words and more than once.",
		"DESIRE":        "Find out what people lose and what is in it for them; let those who doubt take part in a decision that is still open.",
		"KNOWLEDGE":     "Train on the cases of this group, close to the date; show what changes in their own day.",
		"ABILITY":       "Give time to practise on real work with a super-user beside, and less load meanwhile.",
		"REINFORCEMENT": "Show what got better, take the old way away, and thank those who made it work.",
	}
}

// barrier is R6: the first element whose upper Wilson bound of "4 or 5" is below one half. Five elements are looked at,
// so each is judged at 99 %, which keeps all of them together at 95 % (Bonferroni).
func barrier(f *Facts, s Settings) (all []Finding) {
	limit := s.get("share")
	for _, p := range f.Pulse {
		for i, e := range p.Elements {
			found := p.about(p.Wave.Name)
			// Each element stands for itself: two waves with two barriers are not the same barrier twice.
			found.Aspect = p.Survey + "#" + e.Name
			found.Window, found.Remedy = p.window(), remedies()[e.Name]
			if e.Good.N < s.MinGroup {
				all = append(all, found.few("answers", s))
				continue
			}
			reach := interval.Wilson(e.Good.X, e.Good.N, s.get("confidence"))
			low := reach.Upper < limit
			earlier := ""
			if low {
				earlier = lowBefore(p.Elements[:i], s, limit)
			}
			numbers := s.numbers(map[string]float64{"good": float64(e.Good.X), "answers": float64(e.Good.N), "share": share(e.Good.X, e.Good.N), "lower": reach.Lower, "upper": reach.Upper})
			text := fmt.Sprintf("%s: %s said 4 or 5, at most %s %s %s", e.Name, counted(e.Good), percent(reach.Upper), sign(low, "<", "≥"), percent(limit))
			if earlier != "" {
				text += "; the barrier is " + earlier + ", which comes first"
			}
			all = append(all, found.says(low && earlier == "", max(limit-share(e.Good.X, e.Good.N), 0), numbers, "%s", text))
		}
	}
	return all
}

// lowBefore is the first element before that is a barrier, or empty.
func lowBefore(elements []Element, s Settings, limit float64) string {
	for _, e := range elements {
		if e.Good.N >= s.MinGroup && interval.Wilson(e.Good.X, e.Good.N, s.get("confidence")).Upper < limit {
			return e.Name
		}
	}
	return ""
}
