package simulator_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// failureModes says which function answers for each failure mode that was seen in other
// products: an invariant or a scenario of this package, or the test of the package whose
// matter it is alone, as folder:function.
var failureModes = map[string][]string{
	"F1":  {"terminalAbsorbs", "record", "../engine:TestALateReportSaysNothingOfWhatRunsByNow"},
	"F2":  {"commandsStand", "TestTwoServersEndWhereOneDoes"},
	"F3":  {"wakesStand"},
	"F4":  {"oneActiveEach", "everythingEnded", "slotsTellTheTruth", "../engine:TestDeploymentsStandInLine"},
	"F5":  {"terminalAbsorbs", "everythingEnded", "../rollout:TestEveryCommandInEveryStateIsAnswered"},
	"F6":  {"attemptsNeedPeople"},
	"F7":  {"failuresHaveCauses", "everythingEnded"},
	"F8":  {"failuresHaveCauses"},
	"F9":  {"sealedWithinBudget"},
	"F10": {"waitsSayWhy", "silenceEnds", "everythingEnded"},
	"F11": {"parallelIsBounded"},
	"F12": {"TestAPoisonedDeploymentHoldsUpNobodyElse"},
	"F13": {"waitsSayWhy", "everythingEnded", "../fleet:TestAgentsOfOtherVersionsAreMet"},
	"F14": {"activatesOnce", "silenceEnds"},
	"F15": {"silenceEnds", "everythingEnded"},
	"F16": {"cancelEnds", "nothingIsOwed"},
	"F17": {"activatesOnce", "epochsRise", "slotsTellTheTruth"},
	"F18": {"nothingIsOwed"},
	"F19": {"silenceEnds"},
	"F20": {"graceAfterStart", "slotsTellTheTruth"},
	"F21": {"everythingEnded", "../fleet:TestHeartbeatsFollowTheSizeOfTheFleet"},
	"F22": {"oneActiveEach", "targetsAreFreed"},
	"F23": {"wakesStand", "everythingEnded", "../rollout:TestAnAnswerCountsWhenTheClockWasPutBack"},
	"F24": {"rulesHold", "../policy:TestWindowsOpenAndClose", "../policy:TestContainsAgreesWithAScanOfEveryMinute"},
	"F25": {"gatesWereOpen", "rulesHold", "rollbackWaitsForNobody"},
	"F26": {"slotsTellTheTruth", "../../../agent:TestAVersionThatDiesAfterTheSwitchLosesOnlyWhatItWasAnswering", "../../../agent:TestACancelTakesTheTrafficBack"},
	"F27": {"terminalAbsorbs", "attemptsNeedPeople"},
	"F28": {"sealedOnVerdict", "../canary:TestAStoredAnalysisGoesOnAsIfNothingHadHappened"},
	"F29": {"attemptsNeedPeople", "activatesOnce"},
	"F30": {"attemptsNeedPeople"},
	"F31": {"snapshotsStand"},
	"F32": {"rollbackWaitsForNobody", "TestTheWayBackNeedsNoArchive"},
	"F33": {"TestTheHeapStaysBounded"},
	"F34": {"snapshotsStand"},
}

func TestEveryFailureModeHasItsFunction(t *testing.T) {
	require.Len(t, failureModes, 34)
	folders := map[string]map[string]bool{}
	for n := range 34 {
		mode := fmt.Sprintf("F%d", n+1)
		require.NotEmpty(t, failureModes[mode], mode)
		for _, where := range failureModes[mode] {
			dir, function, elsewhere := strings.Cut(where, ":")
			if !elsewhere {
				dir, function = ".", where
			}
			if folders[dir] == nil {
				folders[dir] = functions(t, dir)
			}
			require.True(t, folders[dir][function], "%s: there is no %s in %s", mode, function, dir)
		}
	}
}

// functions names the functions in the Go files of a folder.
func functions(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	names := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}
