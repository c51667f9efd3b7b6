package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/adoption"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// The reasons for which an event of usage is not taken.
const (
	ReasonFeatureUnknown = "FEATURE_UNKNOWN"
	ReasonSubjectInvalid = "SUBJECT_INVALID"
	ReasonDateInvalid    = "DATE_INVALID"
)

const (
	// oldestUsage is how many days ago usage may be that is sent.
	oldestUsage = 400
	// maxUsageErrors is how many errors of a batch are told one by one.
	maxUsageErrors = 1000
	// keyLength is that of the hex of a SHA-256.
	keyLength = 64
)

// mark is a good event: somebody used a feature on a day. Who is a person with an ordinal, or a key.
type mark struct {
	event   int
	feature string
	day     adoption.Day
	person  string
	key     string
	ordinal uint32
}

// usageBatch is a batch on its way in.
type usageBatch struct {
	workspace string
	today     adoption.Day
	version   int64 // of what is remembered of people, see [Store.usageVersion]
	events    []*implementationv1.UsageEvent
	marks     []mark
	rejected  int
	errors    []*implementationv1.UsageError
}

// ReportUsage takes a batch of events. It returns once the good ones are kept; those that are not are answered one by one.
func (s *Store) ReportUsage(ctx context.Context, req *implementationv1.ReportUsageRequest) (*implementationv1.ReportUsageResponse, error) {
	b := &usageBatch{workspace: req.GetParent(), today: adoption.DayOf(s.Now()), events: req.GetEvents()}
	b.parse()
	var err error
	if b.version, err = s.usageVersion(ctx, b.workspace); err != nil {
		return nil, err
	}
	if err := s.knownFeatures(ctx, b); err != nil {
		return nil, err
	}
	if err := s.knownPeople(ctx, b); err != nil {
		return nil, err
	}
	if len(b.marks) > 0 && !req.GetValidateOnly() {
		if err := s.keep(ctx, b); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(b.errors, func(x, y *implementationv1.UsageError) int { return cmp.Compare(x.GetIndex(), y.GetIndex()) })
	return &implementationv1.ReportUsageResponse{
		AcceptedCount: count(len(b.marks)), RejectedCount: count(b.rejected), Errors: b.errors[:min(len(b.errors), maxUsageErrors)],
	}, nil
}

func (b *usageBatch) reject(event int, field, reason, format string, args ...any) {
	b.rejected++
	if len(b.errors) < 3*maxUsageErrors { // three passes, each in order: the first thousand are among them
		b.errors = append(b.errors, &implementationv1.UsageError{Index: count(event), Field: field, Reason: reason, Message: fmt.Sprintf(format, args...)})
	}
}

// parse checks what an event can be checked for by itself.
func (b *usageBatch) parse() {
	days := map[string]adoption.Day{"": b.today}
	b.marks = make([]mark, 0, len(b.events))
	for i, e := range b.events {
		m := mark{event: i}
		day, known := days[e.GetDay()]
		if !known {
			var err error
			if day, err = adoption.ParseDay(e.GetDay()); err != nil {
				b.reject(i, "day", ReasonDateInvalid, "%s is no day; write it as 2026-03-02", quoted(e.GetDay()))
				continue
			}
			days[e.GetDay()] = day
		}
		switch {
		case day > b.today+1: // where the day begins first, it is tomorrow already
			b.reject(i, "day", ReasonDateInvalid, "%s is in the future; it is %s", day, b.today)
			continue
		case day < b.today-oldestUsage:
			b.reject(i, "day", ReasonDateInvalid, "%s is more than %d days ago; older usage is not kept", day, oldestUsage)
			continue
		}
		m.day = day
		if m.feature, known = b.feature(e.GetFeature()); !known {
			b.reject(i, "feature", ReasonFeatureUnknown, "%s is no feature of %s; create it first or correct the event", quoted(e.GetFeature()), b.workspace)
			continue
		}
		if m.key, m.person, known = b.subject(e.GetSubject()); !known {
			b.reject(i, "subject", ReasonSubjectInvalid, "the subject is neither a key (64 lower-case hex digits) nor people/… of %s; an address or a name is never sent", b.workspace)
			continue
		}
		b.marks = append(b.marks, m)
	}
}

// feature is the full name of a feature given by id or name.
func (b *usageBatch) feature(given string) (name string, ok bool) {
	id, full := strings.CutPrefix(given, b.workspace+"/features/")
	if full {
		return given, featureID.MatchString(id)
	}
	if strings.IndexByte(given, '/') >= 0 || len(given) > 63 || given == "" {
		return "", false
	}
	return b.workspace + "/features/" + given, true
}

// subject tells a key from a person.
func (b *usageBatch) subject(given string) (key, person string, ok bool) {
	if isKey(given) {
		return given, "", true
	}
	id, found := strings.CutPrefix(strings.TrimPrefix(given, b.workspace+"/"), "people/")
	if !found || !sheet.IsPersonID(id) {
		return "", "", false
	}
	return "", b.workspace + "/people/" + id, true
}

// isKey tells whether a text is a key as applications make it: the lower-case hex of 32 bytes.
func isKey(s string) bool {
	if len(s) != keyLength {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// filter keeps the marks for which keep says so.
func (b *usageBatch) filter(keep func(m *mark) bool) {
	kept := b.marks[:0]
	for i := range b.marks {
		if keep(&b.marks[i]) {
			kept = append(kept, b.marks[i])
		}
	}
	b.marks = kept
}

// knownFeatures rejects the marks of features that do not exist.
func (s *Store) knownFeatures(ctx context.Context, b *usageBatch) error {
	seen := map[string]bool{}
	var names []string
	for _, m := range b.marks {
		if !seen[m.feature] {
			seen[m.feature] = true
			names = append(names, m.feature)
		}
	}
	slices.Sort(names)
	known := make(map[string]bool, len(names))
	for part := range slices.Chunk(names, chunk) {
		rows, err := s.DB().Read().QueryContext(ctx, "SELECT name FROM features WHERE name IN ("+sqldb.Marks(1, len(part))+")", sqldb.Texts(part)...)
		found, err := sqldb.Collect(rows, err, scanText)
		if err != nil {
			return fmt.Errorf("look up features: %w", err)
		}
		for _, name := range found {
			known[name] = true
		}
	}
	b.filter(func(m *mark) bool {
		if !known[m.feature] {
			b.reject(m.event, "feature", ReasonFeatureUnknown, "%s does not exist; create it first or correct the event", m.feature)
		}
		return known[m.feature]
	})
	return nil
}

// knownPeople gives marks of people their ordinals, and rejects those of people who do not exist.
func (s *Store) knownPeople(ctx context.Context, b *usageBatch) error {
	var names []string
	for _, m := range b.marks {
		if m.person != "" {
			names = append(names, m.person)
		}
	}
	if len(names) == 0 {
		return nil
	}
	ordinals, err := s.peopleOrdinals(ctx, b.workspace, b.version, names)
	if err != nil {
		return err
	}
	b.filter(func(m *mark) bool {
		if m.person == "" {
			return true
		}
		ordinal, ok := ordinals[m.person]
		if !ok {
			b.reject(m.event, "subject", ReasonPersonUnknown, "%s does not exist; import people first or correct the event", m.person)
		}
		m.ordinal = ordinal
		return ok
	})
	return nil
}

// merge sets bits: what is there already, and what another replica sets meanwhile, stays.
func merge(ctx context.Context, tx *sqldb.Tx, sets map[usageDay]*roaring.Bitmap) error {
	byFeature, features := map[string][]adoption.Day{}, []string{}
	for at := range sets {
		if byFeature[at.feature] == nil {
			features = append(features, at.feature)
		}
		byFeature[at.feature] = append(byFeature[at.feature], at.day)
	}
	slices.Sort(features) // all lock in one order
	for _, feature := range features {
		days := byFeature[feature]
		slices.Sort(days)
		for part := range slices.Chunk(days, chunk) {
			if err := mergeDays(ctx, tx, feature, part, sets); err != nil {
				return fmt.Errorf("keep usage of %s: %w", feature, err)
			}
		}
	}
	return tx.Flush(ctx)
}

func mergeDays(ctx context.Context, tx *sqldb.Tx, feature string, days []adoption.Day, sets map[usageDay]*roaring.Bitmap) error {
	stored, err := lockDays(ctx, tx, feature, days)
	if err != nil {
		return err
	}
	for _, day := range days {
		set := sets[usageDay{feature, day}]
		if old := stored[day]; old != nil {
			before := old.GetCardinality()
			old.Or(set)
			if old.GetCardinality() == before {
				continue // nothing new
			}
			set = old
		}
		bits, err := set.ToBytes()
		if err != nil {
			return err
		}
		err = tx.Queue(ctx, nil, `INSERT INTO usage_days (feature, day, bits) VALUES ($1, $2, $3)
			ON CONFLICT (feature, day) DO UPDATE SET bits = excluded.bits`, feature, int64(day), bits)
		if err != nil {
			return err
		}
	}
	return nil
}

// lockDays reads the sets of a feature on days, and keeps others from changing them until the commit, also where there is none yet.
func lockDays(ctx context.Context, tx *sqldb.Tx, feature string, days []adoption.Day) (map[adoption.Day]*roaring.Bitmap, error) {
	args, lock := []any{feature}, ""
	for _, day := range days {
		args = append(args, int64(day))
	}
	if tx.Dialect() == sqldb.Postgres {
		lock = " ORDER BY day FOR UPDATE"
		empty, err := roaring.New().ToBytes()
		if err != nil {
			return nil, err
		}
		fresh := make([]any, 0, 3*len(days))
		for _, day := range days {
			fresh = append(fresh, feature, int64(day), empty)
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO usage_days (feature, day, bits) VALUES "+sqldb.Tuples(len(days), 3)+" ON CONFLICT (feature, day) DO NOTHING", fresh...); err != nil {
			return nil, err
		}
	}
	rows, err := tx.QueryContext(ctx, "SELECT feature, day, bits FROM usage_days WHERE feature = $1 AND day IN ("+sqldb.Marks(2, len(days))+")"+lock, args...)
	found, err := sqldb.Collect(rows, err, scanUsage)
	if err != nil {
		return nil, err
	}
	stored := make(map[adoption.Day]*roaring.Bitmap, len(found))
	for _, one := range found {
		stored[one.day] = one.set
	}
	return stored, nil
}
