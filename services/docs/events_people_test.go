package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryEventThatIsSpeltOutIsListed looks for types of events in the source.
func TestEveryEventThatIsSpeltOutIsListed(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "reference", "events.md"))
	require.NoError(t, err)
	found := 0
	require.NoError(t, filepath.WalkDir(filepath.Join(root, "services", "implementation"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, one := range regexp.MustCompile(`"(implementation\.[a-zA-Z]+\.[a-zA-Z]+)"`).FindAllStringSubmatch(string(text), -1) {
			found++
			require.Contains(t, string(page), "`"+one[1]+"`", path)
		}
		return err
	}))
	require.Greater(t, found, 10)
}

// toldOfPeople are the events of trainings, surveys, usage and challenges. Those of many people at once hold counts, and nobody's name.
func toldOfPeople() map[string]string {
	return map[string]string{
		"implementation.person.imported":       "A file of people was imported: counts.",
		"implementation.provisioning.recorded": "Accounts were recorded: counts.",
		"implementation.provisioning.imported": "A file of accounts was imported: counts.",

		"implementation.session.held":         "It took place.",
		"implementation.session.cancelled":    "It does not take place; its seats are free.",
		"implementation.enrolment.booked":     "Somebody has a seat in a session.",
		"implementation.enrolment.declined":   "An invitation was declined, with the reason.",
		"implementation.enrolment.reassigned": "Somebody who failed or did not come is to come again.",
		"implementation.enrolment.vacated":    "Seats of a session that is cancelled were given back: counts.",
		"implementation.enrolment.attended":   "Who came was recorded: counts.",
		"implementation.enrolment.assessed":   "Who passed was recorded: counts.",

		"implementation.surveyWave.scheduled": "It opens at its time.",
		"implementation.surveyWave.opened":    "It can be answered; its rules of privacy are fixed.",
		"implementation.surveyWave.closed":    "It cannot be answered any more.",
		"implementation.surveyWave.published": "What may be told of it can be read.",
		"implementation.surveyWave.purged":    "Its answers are removed; it holds the receipt.",

		"implementation.surveyLinks.sent":     "Links to a survey were made, mailed or handed over: how many.",
		"implementation.surveyResult.read":    "Somebody read what may be told of a wave; it holds which groups.",
		"implementation.surveyResponses.read": "Somebody read answers that people gave by name; it holds of how many.",

		"implementation.tickets.recorded":  "Calls to the help desk were recorded: counts.",
		"implementation.usage.bound":       "Keys of usage were bound to people: counts.",
		"implementation.usage.purged":      "Days of usage that were too old were removed; it holds the receipt.",
		"implementation.usage.optedOut":    "Somebody is out of all counting of usage.",
		"implementation.usage.optedIn":     "Somebody is counted again.",
		"implementation.adoption.read":     "Somebody read who uses what, by groups; it holds what was asked.",
		"implementation.adoption.forecast": "Somebody asked how adoption may go on.",

		"implementation.challenge.suggested": "A detector found it; a person decides.",
		"implementation.challenge.evidenced": "A detector found it again, and added the signal.",
		"implementation.challenge.proposed":  "A detector finds it no more, and proposes that it is resolved.",
		"implementation.challenge.opened":    "A person took a suggestion on.",
		"implementation.challenge.dismissed": "A person turned a suggestion down, with the reason.",
		"implementation.challenge.mitigated": "Something is done about it.",
		"implementation.challenge.accepted":  "It is lived with until its review.",
		"implementation.challenge.resolved":  "It is not there any more.",
		"implementation.challenge.closed":    "Ended.",
		"implementation.challenge.reopened":  "It is back.",
		"implementation.signal.created":      "A detector holds, or holds no more, with its arithmetic.",
	}
}
