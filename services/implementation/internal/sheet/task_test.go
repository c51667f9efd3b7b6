package sheet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

const crm = ws + "/implementations/crm"

func TestDurations(t *testing.T) {
	for text, want := range map[string]int32{
		"0": 0, "90m": 90, "4h": 240, "2d": 960, "1d4h": 720, "1.5 days": 720, "2 weeks": 4800, "30 Min": 30, "1D 2H 3M": 603, "0d": 0, ".5h": 30,
	} {
		got, err := sheet.Minutes(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "2", "d", "-2d", "2 fortnights", "1..5d", "2d-4h", "99999w", "1e9d", "NaNd", "٣d", "."} {
		_, err := sheet.Minutes(text)
		require.Error(t, err, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		minutes := rapid.Int32Range(0, 5_256_000).Draw(t, "minutes")
		got, err := sheet.Minutes(sheet.Duration(minutes))
		require.NoError(t, err)
		require.Equal(t, minutes, got)
	})
}

func TestIDsAreMadeOfWhatPeopleWrite(t *testing.T) {
	for text, want := range map[string]string{
		"Go live!": "go-live", "12": "t-12", "design": "design", "  Prüfung & Abnahme ": "prufung-abnahme", "1.2.3": "t-1-2-3", "…": "", "a--b": "a-b",
		strings.Repeat("long ", 40): strings.TrimRight(strings.Repeat("long-", 40)[:63], "-"),
	} {
		require.Equal(t, want, sheet.ID(text), text)
		require.Equal(t, want, sheet.ID(sheet.ID(text)), "what is an id stays")
	}
}

func TestLinksAsPeopleWriteThem(t *testing.T) {
	const fs, ss, ff, sf = implementationv1.Dependency_FINISH_TO_START, implementationv1.Dependency_START_TO_START,
		implementationv1.Dependency_FINISH_TO_FINISH, implementationv1.Dependency_START_TO_FINISH
	for text, want := range map[string][]sheet.Link{
		"":                   nil,
		"a":                  {{Predecessor: "a", Type: fs}},
		"a;b FS+2d; c SS-4h": {{Predecessor: "a", Type: fs}, {Predecessor: "b", Type: fs, Lag: 960}, {Predecessor: "c", Type: ss, Lag: -240}},
		"a ff, b sf + 90m ,": {{Predecessor: "a", Type: ff}, {Predecessor: "b", Type: sf, Lag: 90}},
		"design -1d":         {{Predecessor: "design", Type: fs, Lag: -480}},
		"12 FS + 1 d 4 h":    {{Predecessor: "t-12", Type: fs, Lag: 720}},
		" ; ;":               nil,
		"go-live-2 SS":       {{Predecessor: "go-live-2", Type: ss}},
		"a FS+0":             {{Predecessor: "a", Type: fs}},
	} {
		got, err := sheet.Links(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"a XX", "a FS+", "a FS 2d", "a FS+2", "?", "a b", "a FS+-2d", "a FSSS"} {
		_, err := sheet.Links(text)
		require.Error(t, err, text)
	}
}

func TestAFileOfTasksTellsAllThatIsWrong(t *testing.T) {
	file := "ID;Name;Stage;Likely;Predecessors;Resources;Milestone;Deadline;Priority;Fixed cost\n" +
		"a;Design;prepare;2d;;;;;;\n" +
		"b;Build;build;2;a FS+;trainers:x;maybe;soon;1001;1.234\n" +
		"a;Design;build;2d;;;;;;\n" +
		"a;Design;prepare;2d;;;;;;\n" +
		"?;…;prepare;2d;;;;;;\n" +
		";Go live;…;0;;;yes;2026-05-01;;12.5\n"
	f, err := sheet.Tasks([]byte(file), nil)
	require.NoError(t, err)
	require.Equal(t, []string{
		"3 Likely DURATION_INVALID", "3 Predecessors DEPENDENCY_INVALID", "3 Resources RESOURCE_INVALID", "3 Milestone VALUE_INVALID", "3 Deadline DATE_INVALID",
		"3 Priority VALUE_INVALID", "3 Fixed cost AMOUNT_INVALID",
		"4 Stage TASK_IN_TWO_STAGES", "5 ID DUPLICATE_ROW", "6 ID ID_INVALID", "7 Stage ID_INVALID",
	}, told(f.File))
	require.Contains(t, f.Problems.Rows()[7].GetMessage(), "in stage build here and in stage prepare in line 2")
	require.Len(t, f.Tasks, 1)

	f, err = sheet.Tasks([]byte("stage,likely\na,2d\n"), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"1  COLUMN_MISSING"}, told(f.File))
}

func TestAColumnThatIsNotThereChangesNothing(t *testing.T) {
	f, err := sheet.Tasks([]byte("id,likely,owner\na,3d,\n"), nil)
	require.NoError(t, err)
	require.Empty(t, told(f.File))
	task := &implementationv1.Task{
		DisplayName: "Design", Owner: "users/ada", Priority: 7,
		Estimate: &implementationv1.Estimate{OptimisticMinutes: new(int32(480)), LikelyMinutes: 960, PessimisticMinutes: new(int32(4800))},
	}
	f.Apply(f.Tasks[0], task)
	require.Equal(t, "Design", task.GetDisplayName())
	require.Empty(t, task.GetOwner(), "an empty value clears")
	require.EqualValues(t, 1440, task.GetEstimate().GetLikelyMinutes())
	require.EqualValues(t, 480, task.GetEstimate().GetOptimisticMinutes())
	require.EqualValues(t, 7, task.GetPriority())
}

// tasks draws tasks with everything that a file holds.
func tasks(t *rapid.T) []*implementationv1.Task {
	name := rapid.StringMatching(`[a-z]([a-z0-9]{0,8}(-[a-z0-9]{1,3})?)`)
	text := rapid.StringMatching(`([=+@'"A-Za-z;,€ü-][ =+@'"A-Za-z;,\n€ü-]{0,20}[=+@'"A-Za-z;,€ü-])?`)
	minutes := rapid.Int32Range(0, 50_000)
	var all []*implementationv1.Task
	for _, id := range rapid.SliceOfNDistinct(name, 1, 6, rapid.ID).Draw(t, "ids") {
		task := &implementationv1.Task{
			Name: crm + "/tasks/" + id, DisplayName: text.Draw(t, "name"), Stage: crm + "/stages/" + name.Draw(t, "stage"),
			Owner: text.Draw(t, "owner"), Description: text.Draw(t, "description"), Priority: rapid.Int32Range(0, 1000).Draw(t, "priority"),
			Milestone: rapid.Bool().Draw(t, "milestone"), FixedCostMinor: rapid.Int64Range(0, 1e15).Draw(t, "cost"), EffortMinutes: minutes.Draw(t, "effort"),
			Estimate: &implementationv1.Estimate{LikelyMinutes: 1 + minutes.Draw(t, "likely")},
		}
		if rapid.Bool().Draw(t, "three") {
			task.Estimate.OptimisticMinutes, task.Estimate.PessimisticMinutes = new(minutes.Draw(t, "o")), new(minutes.Draw(t, "p"))
		}
		if rapid.Bool().Draw(t, "deadline") {
			task.Deadline = timestamppb.New(time.UnixMicro(rapid.Int64Range(1, 4e15).Draw(t, "micros")))
		}
		for range rapid.IntRange(0, 3).Draw(t, "links") {
			task.Dependencies = append(task.Dependencies, &implementationv1.Dependency{
				Predecessor: crm + "/tasks/" + name.Draw(t, "predecessor"), Type: implementationv1.Dependency_Type(rapid.IntRange(1, 4).Draw(t, "type")),
				LagMinutes: rapid.Int32Range(-9_600, 9_600).Draw(t, "lag"),
			})
		}
		for range rapid.IntRange(0, 2).Draw(t, "assignments") {
			task.Assignments = append(task.Assignments, &implementationv1.Assignment{Resource: ws + "/resources/" + name.Draw(t, "resource"), Units: float64(rapid.IntRange(0, 8).Draw(t, "units")) / 4})
		}
		all = append(all, task)
	}
	return all
}

func TestWhatWasWrittenIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := tasks(t)
		f, err := sheet.Tasks(sheet.WriteTasks(all), nil)
		require.NoError(t, err)
		require.Empty(t, told(f.File))
		again := make([]*implementationv1.Task, len(f.Tasks))
		for i, row := range f.Tasks {
			task := &implementationv1.Task{Name: crm + "/tasks/" + row.ID, Stage: crm + "/stages/" + row.Stage}
			f.Apply(row, task)
			for _, l := range row.Links {
				task.Dependencies = append(task.Dependencies, &implementationv1.Dependency{Predecessor: crm + "/tasks/" + l.Predecessor, Type: l.Type, LagMinutes: l.Lag})
			}
			for _, s := range row.Shares {
				task.Assignments = append(task.Assignments, &implementationv1.Assignment{Resource: ws + "/resources/" + s.Resource, Units: s.Units})
			}
			again[i] = task
		}
		require.Equal(t, string(sheet.WriteTasks(all)), string(sheet.WriteTasks(again)))
		for i := range all {
			require.True(t, all[i].GetFixedCostMinor() == again[i].GetFixedCostMinor() && all[i].GetDisplayName() == again[i].GetDisplayName())
		}
	})
}

func FuzzTasks(f *testing.F) {
	f.Add([]byte("id,name,stage,likely,predecessors\na,A,s,2d,b FS+2d\nb,B,s,90m,\n"))
	f.Add([]byte("name;stage;resources\nGo live;build;\"trainers:2, room\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := sheet.Tasks(data, nil)
		require.NoError(t, err, "what is wrong with a file is a problem of the file")
		seen := map[string]bool{}
		for _, task := range file.Tasks {
			require.False(t, seen[task.ID], "an id is there once")
			require.Equal(t, task.ID, sheet.ID(task.ID))
			seen[task.ID] = true
		}
	})
}
