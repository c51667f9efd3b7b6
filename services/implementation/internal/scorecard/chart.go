package scorecard

import (
	"fmt"
	"slices"
	"strings"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

const (
	// levels draw a number in Markdown.
	levels = "▁▂▃▄▅▆▇█"
	// mostBars is how many numbers a course has in Markdown.
	mostBars = 30

	chartWidth, chartHeight, chartMargin = 120.0, 24.0, 2.0
)

// chart is how a measure went: bars for text, a line for paper.
type chart struct {
	label, bars string
	values      []float64
	target      float64
}

// courseOf is the measure of every snapshot that has a number, and the number now.
func courseOf(m *implementationv1.ScorecardMeasure, history []*implementationv1.ScorecardSnapshot) chart {
	c := chart{label: name(m), target: m.GetTarget()}
	add := func(m *implementationv1.ScorecardMeasure) {
		if m.Value != nil {
			c.values = append(c.values, m.GetValue())
		}
	}
	for _, snapshot := range history {
		for _, then := range snapshot.GetScorecard().GetMeasures() {
			if then.GetKind() == m.GetKind() {
				add(then)
			}
		}
	}
	if add(m); len(c.values) < 2 {
		return chart{}
	}
	c.bars = bars(c.values[max(0, len(c.values)-mostBars):])
	return c
}

// bars draws numbers from the lowest to the highest of them.
func bars(values []float64) string {
	steps := []rune(levels)
	low, high := slices.Min(values), slices.Max(values)
	var b strings.Builder
	for _, v := range values {
		at := len(steps) / 2
		if high > low {
			at = int((v - low) / (high - low) * float64(len(steps)-1))
		}
		b.WriteRune(steps[at])
	}
	return b.String()
}

// draw puts a line in the place of the bars, row by row: what people wrote comes after the table, and is not touched.
func draw(html string, charts []chart) string {
	head, rest, found := strings.Cut(html, "</table>")
	if !found {
		return html
	}
	for _, c := range charts {
		if c.bars != "" {
			head = strings.Replace(head, "<td>"+c.bars+"</td>", "<td>"+c.svg()+"</td>", 1)
		}
	}
	return head + "</table>" + rest
}

// svg is a line from the first number to the last, and a thin one where the target is.
func (c chart) svg() string {
	low, high := slices.Min(c.values), slices.Max(c.values)
	if c.target > 0 {
		low, high = min(low, c.target), max(high, c.target)
	}
	y := func(v float64) float64 {
		if high == low {
			return chartHeight / 2
		}
		return chartMargin + (high-v)/(high-low)*(chartHeight-2*chartMargin)
	}
	points := make([]string, len(c.values))
	for i, v := range c.values {
		points[i] = fmt.Sprintf("%.1f,%.1f", float64(i)/float64(len(c.values)-1)*chartWidth, y(v))
	}
	var line string
	if c.target > 0 {
		line = fmt.Sprintf(`<line x1="0" x2="%.0f" y1="%.1f" y2="%.1f" stroke="currentColor" stroke-width=".5" stroke-dasharray="3 2"/>`, chartWidth, y(c.target), y(c.target))
	}
	return fmt.Sprintf(`<svg role="img" aria-label="%s from %s to %s" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f">%s<polyline fill="none" stroke="currentColor" stroke-width="1.5" points="%s"/></svg>`,
		c.label, percent(c.values[0]), percent(c.values[len(c.values)-1]), chartWidth, chartHeight, chartWidth, chartHeight, line, strings.Join(points, " "))
}
