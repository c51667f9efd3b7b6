package plan

import "slices"

// driving are the links of a node that decide its early dates: without one of them it could begin, go on or end earlier.
// What is done was decided by what happened. They are appended to out.
func (p *Plan) driving(d *dates, i int, out []int) []int {
	t := &p.net.Tasks[i]
	if t.Done {
		return out
	}
	for _, l := range t.Links {
		at := d.start[l.From]
		if l.FromFinish() {
			at = d.end[l.From]
		}
		if l.Lag != 0 {
			at = p.net.Calendar.Shift(at, l.Lag)
		}
		bound := d.resume[i]
		if l.ToFinish() {
			bound = d.end[i]
		}
		if t.Calendar.Count(at, bound) > 0 || slices.Contains(out, l.From) {
			continue
		}
		out = append(out, l.From)
	}
	return out
}

// longest is one chain from the beginning to the node that ends last, each driven by the one before.
func (p *Plan) longest(d *dates) []int {
	last := -1
	for _, i := range p.net.Order {
		if last < 0 || d.end[i] > d.end[last] || d.end[i] == d.end[last] && p.net.Tasks[last].Task == nil {
			last = i
		}
	}
	var path []int
	for at := last; at >= 0; {
		path = append(path, at)
		drivers := p.driving(d, at, nil)
		at = -1
		for _, from := range drivers {
			if at < 0 || d.end[from] > d.end[at] {
				at = from
			}
		}
	}
	slices.Reverse(path)
	return path
}
