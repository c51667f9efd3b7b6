package detect_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

// walk takes a standing through weeks written as letters: h holds, c is clear, and _ is a
// week that nobody judged. The answer has a letter a week: S seen, E entered, C continued, L left, and a dot for nothing.
func walk(weeks string) string {
	var s detect.Standing
	said := strings.Builder{}
	for i, letter := range weeks {
		if letter == '_' {
			said.WriteByte('_')
			continue
		}
		var phase implementationv1.Signal_Phase
		s, phase = s.Next(week().Add(i).Window(), letter == 'h')
		said.WriteByte(".SECL"[phase])
	}
	return said.String()
}

func TestARuleEntersAndLeavesAfterTwoWindows(t *testing.T) {
	for weeks, want := range map[string]string{
		"cccc":     "....",
		"hchc":     "S.S.",
		"hh":       "SE",
		"hhhh":     "SECC",
		"hhchh":    "SE.CC",
		"hhcc":     "SE.L",
		"hhccc":    "SE.L.",
		"hhcchh":   "SE.LSE",
		"h_h":      "S_S",
		"h_hh":     "S_SE",
		"hh_h":     "SE_C",
		"hhc_c":    "SE._.",
		"hhc_cc":   "SE._.L",
		"chhcchcc": ".SE.LS..",
	} {
		require.Equal(t, want, walk(weeks), weeks)
	}
}

func TestAWindowIsDecidedOnce(t *testing.T) {
	first, second := week().Window(), week().Add(1).Window()
	var s detect.Standing
	require.False(t, s.Decided(first))
	s, _ = s.Next(second, true)
	require.True(t, s.Decided(first), "what is past stays as it was")
	require.True(t, s.Decided(second))
	require.False(t, s.Decided(week().Add(2).Window()))
}

func TestHysteresisNeverFlaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weeks := rapid.StringOfN(rapid.RuneFrom([]rune("hc_")), 0, 60, -1).Draw(t, "weeks")
		said := walk(weeks)
		active := false
		for i, letter := range said {
			switch letter {
			case 'E':
				require.False(t, active)
				require.Equal(t, "hh", weeks[i-1:i+1], "two running")
				active = true
			case 'L':
				require.True(t, active)
				require.Equal(t, "cc", weeks[i-1:i+1], "two running")
				active = false
			case 'C':
				require.True(t, active)
			case 'S':
				require.False(t, active)
			}
		}
	})
}

func TestWorse(t *testing.T) {
	require.False(t, detect.Worse(0.3, 0.3))
	require.False(t, detect.Worse(0.35, 0.3))
	require.True(t, detect.Worse(0.36, 0.3), "by a fifth")
	require.False(t, detect.Worse(0, 0))
	require.True(t, detect.Worse(0.1, 0))
}

func TestWeeksOfISO8601(t *testing.T) {
	for text, monday := range map[string]string{
		"2026-W47": "2026-11-16", "2026-W01": "2025-12-29", "2020-W53": "2020-12-28", "2021-W01": "2021-01-04", "2024-W01": "2024-01-01",
	} {
		w, err := detect.ParseWeek(text)
		require.NoError(t, err, text)
		require.Equal(t, monday, w.Start().Format(time.DateOnly), text)
		require.Equal(t, text, w.String())
		require.Equal(t, w, detect.WeekOf(w.Start()))
		require.Equal(t, w, detect.WeekOf(w.End().Add(-1)))
		require.NotEqual(t, w, detect.WeekOf(w.End()))
	}
	for _, text := range []string{"", "2026-47", "2026-W00", "2026-W54", "2021-W53", "2026-W4a", "0000-W01", "2026-w47", "+026-W47", "2026-W471"} {
		_, err := detect.ParseWeek(text)
		require.Equal(t, detect.ReasonWeekInvalid, fault.ReasonOf(err), text)
	}
}

func FuzzParseWeek(f *testing.F) {
	f.Add("2026-W47")
	f.Add("2020-W53")
	f.Add("9999-W52")
	f.Fuzz(func(t *testing.T, text string) {
		w, err := detect.ParseWeek(text)
		if err != nil {
			require.Equal(t, detect.ReasonWeekInvalid, fault.ReasonOf(err))
			return
		}
		require.Equal(t, text, w.String())
		require.Equal(t, time.Monday, w.Start().Weekday())
		require.Equal(t, w, w.Add(1).Add(-1))
		require.Equal(t, w.End(), w.Add(1).Start())
	})
}
