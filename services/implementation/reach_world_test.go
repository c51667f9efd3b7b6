package implementation_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation"
	"github.com/golive-dev/golive/services/smtptest"
)

// theCRM is the implementation that these tests are about.
const theCRM = ws + "/implementations/crm"

// reachWorld is a world with a mail server and with what knows how people are reached.
type reachWorld struct {
	*world
	smtp *smtptest.Server
	main sqldb.Config

	stakeholders   implementationv1.StakeholderServiceClient
	communications implementationv1.CommunicationServiceClient
	contacts       implementationv1.ContactServiceClient
	mails          implementationv1.MailServiceClient
	erasures       implementationv1.ErasureServiceClient
}

// eachReach runs a test on a fresh service over each database, which sends its messages by a real mail server.
func eachReach(t *testing.T, opts *smtptest.Options, test func(t *testing.T, w *reachWorld)) {
	t.Helper()
	for _, kind := range pgtest.Databases(t) {
		t.Run(kind.Name, func(t *testing.T) {
			w := &reachWorld{}
			change := func(cfg *implementation.Config) { w.main = cfg.Database }
			if opts != nil {
				w.smtp = smtptest.Start(t, *opts)
				change = func(cfg *implementation.Config) {
					w.main = cfg.Database
					cfg.Mail = implementation.SMTP{Address: w.smtp.Addr, From: "Roll-out <rollout@example.com>", CAFile: w.smtp.CAFile}
					if opts.Implicit {
						cfg.Mail.TLS = "tls"
					}
				}
			}
			w.world = setup(t, kind.URL(t), change)
			w.speakAs("users/alice", auth.Admin)
			_, err := w.implementations.CreateImplementation(t.Context(), &implementationv1.CreateImplementationRequest{
				Parent: ws, ImplementationId: "crm", Implementation: &implementationv1.Implementation{},
			})
			require.NoError(t, err)
			test(t, w)
		})
	}
}

func (w *reachWorld) speakAs(name string, roles ...auth.Role) {
	w.Helper()
	conn := w.dial(name, map[string][]auth.Role{auth.AllWorkspaces: roles})
	w.connect(conn)
	w.stakeholders = implementationv1.NewStakeholderServiceClient(conn)
	w.communications = implementationv1.NewCommunicationServiceClient(conn)
	w.contacts = implementationv1.NewContactServiceClient(conn)
	w.mails = implementationv1.NewMailServiceClient(conn)
	w.erasures = implementationv1.NewErasureServiceClient(conn)
}

func contactName(i int) string { return fmt.Sprintf("%s/contacts/p-%03d", ws, i) }

func address(i int) string { return fmt.Sprintf("p%03d@people.example.com", i) }

// reachable gives addresses to the people from … to.
func (w *reachWorld) reachable(from, to int) {
	w.Helper()
	csv := "person,email,language\n"
	for i := from; i < to; i++ {
		csv += fmt.Sprintf("p-%03d,%s,de\n", i, address(i))
	}
	result, err := w.contacts.ImportContacts(w.Context(), &implementationv1.ImportContactsRequest{Parent: ws, Csv: []byte(csv)})
	require.NoError(w, err)
	require.Empty(w, result.GetErrors())
	require.EqualValues(w, to-from, result.GetCreatedCount())
}

// draft makes a communication to a cohort that must be known.
func (w *reachWorld) draft(id string, channel implementationv1.Communication_Channel, cohorts ...string) *implementationv1.Communication {
	w.Helper()
	c, err := w.communications.CreateCommunication(w.Context(), &implementationv1.CreateCommunicationRequest{
		Parent: theCRM, CommunicationId: id, Communication: &implementationv1.Communication{
			Subject: "It begins on Monday", Body: "Hello,\n\nit *begins*.", Channel: channel, MustKnow: true,
			Audience: &implementationv1.Audience{Cohorts: cohorts},
		},
	})
	require.NoError(w, err)
	return c
}

// dump is everything in every table of the databases, as text; tables names those that say where.
func (w *reachWorld) dump() (all map[string]string) {
	w.Helper()
	all = map[string]string{}
	main := w.main
	main.Schema = "implementation"
	contacts, metrics := main, main
	contacts.Schema, metrics.Schema = "implementation_contacts", "implementation_metrics"
	if file, ok := strings.CutPrefix(main.URL, "sqlite:"); ok {
		contacts.URL = "sqlite:" + filepath.Join(filepath.Dir(file), "contacts.db")
		metrics.URL = "sqlite:" + strings.TrimSuffix(file, ".db") + ".metrics.db"
	}
	for _, cfg := range []sqldb.Config{main, contacts, metrics} {
		db, err := sqldb.Open(w.Context(), cfg)
		require.NoError(w, err)
		query := "SELECT name FROM sqlite_master WHERE type = 'table'"
		if db.Dialect() == sqldb.Postgres {
			query = "SELECT table_name FROM information_schema.tables WHERE table_schema = '" + cfg.Schema + "'"
		}
		rows, err := db.Read().QueryContext(w.Context(), query)
		tables, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (s string, err error) { return s, rows.Scan(&s) })
		require.NoError(w, err)
		require.NotEmpty(w, tables)
		for _, table := range tables {
			all[cfg.Schema+"."+table] = contents(w, db, table)
		}
		require.NoError(w, db.Close())
	}
	return all
}

func contents(w *reachWorld, db *sqldb.DB, table string) string {
	w.Helper()
	rows, err := db.Read().QueryContext(w.Context(), "SELECT * FROM "+table)
	require.NoError(w, err)
	columns, err := rows.Columns()
	require.NoError(w, err)
	lines, err := sqldb.Collect(rows, nil, func(rows *sql.Rows) (string, error) {
		values := make([]any, len(columns))
		targets := make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return "", err
		}
		var line strings.Builder
		for _, v := range values {
			if raw, ok := v.([]byte); ok {
				line.Write(raw)
			} else {
				fmt.Fprint(&line, v)
			}
			line.WriteByte('|')
		}
		return line.String(), nil
	})
	require.NoError(w, err)
	return strings.Join(lines, "\n")
}
