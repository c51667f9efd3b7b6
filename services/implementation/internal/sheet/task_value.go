package sheet

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// reader reads the values of one row. After the first bad one it goes on, so
// that all of them are told.
type reader struct {
	file *TaskFile
	row  Row
	good bool
}

func (r *reader) bad(c TaskColumn, reason, format string, args ...any) {
	r.good = false
	r.file.Problems.Add(r.row.Line, r.file.Name(c), reason, format, args...)
}

func (r *reader) value(c TaskColumn) string { return r.row.Value(int(c)) }

// id is what the file says, or made of the name.
func (r *reader) id() string {
	column, text := TaskID, r.value(TaskID)
	if text == "" {
		column, text = TaskName, r.value(TaskName)
	}
	id := ID(text)
	if id == "" {
		r.bad(column, "ID_INVALID", "%s has no letter or digit to make an id of", describe(text))
	}
	return id
}

func (r *reader) text(c TaskColumn, most int) string {
	text := r.value(c)
	if n := utf8.RuneCountInString(text); n > most {
		r.bad(c, "VALUE_TOO_LONG", "the text has %d characters; at most %d are kept", n, most)
	}
	if strings.IndexByte(text, 0) >= 0 {
		r.bad(c, "VALUE_INVALID", "the text holds a zero byte")
	}
	return text
}

// optional is a duration; nil where there is none.
func (r *reader) optional(c TaskColumn) *int32 {
	text := r.value(c)
	if text == "" {
		return nil
	}
	minutes, err := Minutes(text)
	if err != nil {
		r.bad(c, "DURATION_INVALID", "%s %v", describe(text), err)
		return nil
	}
	return &minutes
}

func (r *reader) flag(c TaskColumn) bool {
	switch strings.ToLower(r.value(c)) {
	case "", "0", "no", "n", "false":
		return false
	case "1", "yes", "y", "true", "x":
		return true
	default:
		r.bad(c, "VALUE_INVALID", "%s is neither yes nor no", describe(r.value(c)))
		return false
	}
}

func (r *reader) time(c TaskColumn) *timestamppb.Timestamp {
	t, ok := r.file.date(r.row, int(c))
	r.good = r.good && ok
	return stamp(t)
}

func (r *reader) number(c TaskColumn, most int64) int64 {
	text := r.value(c)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > most {
		r.bad(c, "VALUE_INVALID", "%s is no whole number from 0 to %d", describe(text), most)
		return 0
	}
	return n
}

var errAmount = errors.New("is no amount; write it like 1250.50")

// amount reads whole units with at most two decimals into minor units, exactly.
func (r *reader) amount(c TaskColumn) int64 {
	text := r.value(c)
	if text == "" {
		return 0
	}
	minor, err := amountMinor(text)
	if err != nil {
		r.bad(c, "AMOUNT_INVALID", "%s %v", describe(text), err)
	}
	return minor
}

func amountMinor(text string) (int64, error) {
	whole, cents, _ := strings.Cut(text, ".")
	if len(cents) > 2 || strings.HasPrefix(whole, "+") || strings.Trim(cents, "0123456789") != "" {
		return 0, errAmount
	}
	units, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || units < 0 || units > math.MaxInt64/100-1 {
		return 0, errAmount
	}
	fraction, err := strconv.ParseInt((cents + "00")[:2], 10, 64)
	if err != nil {
		return 0, errAmount
	}
	return units*100 + fraction, nil
}

// linkForm is what may follow the id of a predecessor: FS+2d.
var linkForm = regexp.MustCompile(`^(?i)(FS|SS|FF|SF)?(?:([+-])(.+))?$`)

// Links reads dependencies: `design; build FS+2d; test SS-4h`.
func Links(text string) ([]Link, error) {
	var links []Link
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' || r == ',' }) {
		fields := strings.Fields(part)
		if len(fields) == 0 {
			continue
		}
		link := Link{Predecessor: ID(fields[0]), Type: implementationv1.Dependency_FINISH_TO_START}
		form := linkForm.FindStringSubmatch(strings.Join(fields[1:], ""))
		if link.Predecessor == "" || form == nil {
			return nil, fmt.Errorf("%s is no dependency; write the id of a task, and perhaps FS, SS, FF or SF and a lag: build FS+2d", describe(strings.TrimSpace(part)))
		}
		if form[1] != "" {
			link.Type = linkTypes()[strings.ToUpper(form[1])]
		}
		if form[2] != "" {
			lag, err := Minutes(form[3])
			if err != nil {
				return nil, fmt.Errorf("the lag of %s %w", describe(strings.TrimSpace(part)), err)
			}
			if link.Lag = lag; form[2] == "-" {
				link.Lag = -lag
			}
		}
		links = append(links, link)
	}
	return links, nil
}

func linkTypes() map[string]implementationv1.Dependency_Type {
	return map[string]implementationv1.Dependency_Type{
		"FS": implementationv1.Dependency_FINISH_TO_START, "SS": implementationv1.Dependency_START_TO_START,
		"FF": implementationv1.Dependency_FINISH_TO_FINISH, "SF": implementationv1.Dependency_START_TO_FINISH,
	}
}

func (r *reader) links() []Link {
	links, err := Links(r.value(TaskPredecessors))
	if err != nil {
		r.bad(TaskPredecessors, "DEPENDENCY_INVALID", "%v", err)
	}
	return links
}

// shares reads `trainers:2; room`.
func (r *reader) shares() []Share {
	var all []Share
	for part := range strings.FieldsFuncSeq(r.value(TaskResources), func(c rune) bool { return c == ';' || c == ',' }) {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, text, given := strings.Cut(part, ":")
		share := Share{Resource: ID(name)}
		var err error
		if given {
			share.Units, err = strconv.ParseFloat(strings.TrimSpace(text), 64)
		}
		if share.Resource == "" || err != nil || !(share.Units >= 0 && share.Units <= 1000) || given && share.Units == 0 {
			r.bad(TaskResources, "RESOURCE_INVALID", "%s is no resource; write its id, and perhaps how many: trainers:2", describe(part))
			continue
		}
		all = append(all, share)
	}
	return all
}
