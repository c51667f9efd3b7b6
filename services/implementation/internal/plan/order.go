package plan

import (
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
)

// order sorts the nodes so that each comes after those that it depends on (Kahn 1962). It is shorter than
// the network where there is a circle.
func order(n *Network, next [][]Arrow) []int {
	open := make([]int, len(n.Tasks))
	out := make([]int, 0, len(n.Tasks))
	for i := range n.Tasks {
		if open[i] = len(n.Tasks[i].Links); open[i] == 0 {
			out = append(out, i)
		}
	}
	for at := 0; at < len(out); at++ {
		for _, a := range next[out[at]] {
			if open[a.To]--; open[a.To] == 0 {
				out = append(out, a.To)
			}
		}
	}
	return out
}

// cycleFault names a circle. The path follows the work: what comes first stands first.
func cycleFault(n *Network, ordered []int) error {
	path := circle(n, ordered)
	words := make([]string, len(path))
	for i, at := range path {
		words[i] = id(n.Tasks[at].Name)
		if n.Tasks[at].Task == nil {
			words[i] = "the end of stage " + words[i]
		}
	}
	text := strings.Join(words, " → ")
	const most = 20
	if len(words) > most {
		text = strings.Join(words[:most], " → ") + " → … → " + words[len(words)-1]
	}
	return fault.Precondition("TASK_CYCLE", "%s would wait for itself: %s; remove one of these dependencies", words[0], text).Meta("path", text)
}

// circle finds a path that comes back to where it begins. What could not be ordered has a predecessor that
// could not either, so that going back must meet itself.
func circle(n *Network, ordered []int) []int {
	stuck := make([]bool, len(n.Tasks))
	for i := range stuck {
		stuck[i] = true
	}
	for _, i := range ordered {
		stuck[i] = false
	}
	seen := map[int]int{}
	var back []int
	for at := slices.Index(stuck, true); ; {
		if first, met := seen[at]; met {
			back = back[first:]
			break
		}
		seen[at] = len(back)
		back = append(back, at)
		at = n.Tasks[at].Links[slices.IndexFunc(n.Tasks[at].Links, func(l Link) bool { return stuck[l.From] })].From
	}
	slices.Reverse(back)
	least := slices.Index(back, slices.MinFunc(back, func(a, b int) int { return strings.Compare(n.Tasks[a].Name, n.Tasks[b].Name) }))
	path := slices.Concat(back[least:], back[:least])
	return append(path, path[0])
}
