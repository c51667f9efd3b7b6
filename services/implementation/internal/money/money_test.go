package money_test

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/golive-dev/golive/services/implementation/internal/money"
)

func TestMoneyGivesThePublishedFigures(t *testing.T) {
	flows := money.Periodic(-40_000_00, 5_000_00, 8_000_00, 12_000_00, 30_000_00)
	npv, ok := money.NPV(.08, flows)
	require.True(t, ok)
	require.InDelta(t, 3_065.22267, npv/100, 1e-5)
	payback, ok := money.Payback(flows)
	require.True(t, ok)
	require.InDelta(t, 3.5, payback, 1e-12)
	discounted, ok := money.DiscountedPayback(.08, flows)
	require.True(t, ok)
	require.InDelta(t, 3.861, discounted, 5e-4)
	roi, ok := money.ROI(flows)
	require.True(t, ok)
	require.InDelta(t, .375, roi, 1e-12)

	irr, ok := money.IRR(money.Periodic(-100, 39, 59, 55, 20))
	require.True(t, ok)
	require.InDelta(t, .28095, irr, 5e-6)

	trap, ok := money.NPV(.1, money.Periodic(-10_000, 3_000, 4_200, 6_800))
	require.True(t, ok)
	require.InDelta(t, 1_307.29, trap, 5e-3, "the first flow is not discounted")
}

func TestMoneyOfDatesIsThatOfSpreadsheets(t *testing.T) {
	date := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		require.NoError(t, err)
		return d
	}
	// The example of the documentation of XNPV and XIRR.
	flows := money.Yearly([]money.Dated{
		{date("2008-01-01"), -10_000},
		{date("2008-03-01"), 2_750},
		{date("2008-10-30"), 4_250},
		{date("2009-02-15"), 3_250},
		{date("2009-04-01"), 2_750},
	})
	npv, ok := money.NPV(.09, flows)
	require.True(t, ok)
	require.InDelta(t, 2_086.65, npv, 5e-3)
	irr, ok := money.IRR(flows)
	require.True(t, ok)
	require.InDelta(t, .373362535, irr, 2e-8)
}

func TestRatesFindsEveryRate(t *testing.T) {
	for _, tt := range []struct {
		name    string
		flows   []money.Flow
		want    []float64
		changes int
	}{
		{"none where nothing comes back", money.Periodic(-100, -10), nil, 0},
		{"none where nothing was spent", money.Periodic(100), nil, 0},
		{"none though the sign changes twice", money.Periodic(1_000, -3_000, 2_500), nil, 2},
		{"two, the pump of Lorie and Savage", money.Periodic(-1_600, 10_000, -10_000), []float64{.25, 4}, 2},
		{"three", money.Periodic(-1_000, 6_000, -11_000, 6_000), []float64{0, 1, 2}, 3},
		{"one that is touched", money.Periodic(100, -220, 121), []float64{.1}, 2},
		{"a loss", money.Periodic(-100, 50), []float64{-.5}, 1},
		{"a rate of nothing", money.Periodic(-100, 100), []float64{0}, 1},
		{"flows that do not matter", money.Periodic(-100, 0, 0, 121), []float64{math.Cbrt(1.21) - 1}, 1},
		{"times in any order", []money.Flow{{At: 1, Amount: 110}, {At: 0, Amount: -60}, {At: 0, Amount: -40}}, []float64{.1}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, changes := money.Rates(tt.flows)
			require.Equal(t, tt.changes, changes)
			require.Len(t, got, len(tt.want), "%v", got)
			require.InDeltaSlice(t, tt.want, got, 1e-6)
			_, one := money.IRR(tt.flows)
			require.Equal(t, len(tt.want) == 1, one)
		})
	}
}

func TestMoneyHasNoAnswerToWhatIsNotDefined(t *testing.T) {
	_, ok := money.NPV(-1, money.Periodic(-1, 1))
	require.False(t, ok)
	_, ok = money.NPV(math.NaN(), money.Periodic(-1, 1))
	require.False(t, ok)
	_, ok = money.NPV(-.999999, []money.Flow{{At: 0, Amount: 1}, {At: 1e6, Amount: 1}})
	require.False(t, ok, "beyond all numbers")
	_, ok = money.ROI(money.Periodic(1, 2))
	require.False(t, ok)
	_, ok = money.Payback(money.Periodic(-3, 1, 1))
	require.False(t, ok)
	_, ok = money.Payback(nil)
	require.False(t, ok)
	at, ok := money.Payback(money.Periodic(5, 1))
	require.True(t, ok, "never below")
	require.Zero(t, at)
	at, ok = money.Payback(money.Periodic(-10, 20, -20, 40))
	require.True(t, ok)
	require.InDelta(t, 2.25, at, 1e-12, "for good, not the first time")
}

func TestRatesAreZerosOfTheNetPresentValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOfN(rapid.Int64Range(-1_000_000, 1_000_000), 1, 12).Draw(t, "amounts")
		flows := money.Periodic(amounts...)
		rates, changes := money.Rates(flows)
		require.LessOrEqual(t, len(rates), changes)
		size := 0.0
		for _, rate := range rates {
			npv, ok := money.NPV(rate, flows)
			for i, f := range flows {
				size = max(size, math.Abs(float64(f.Amount))*math.Pow(1+rate, -float64(i)))
			}
			if ok && !math.IsInf(size, 0) {
				require.InDelta(t, 0, npv, 1e-7*size+1e-6)
			}
		}
		if changes == 1 {
			require.Len(t, rates, 1, "one change of sign, one rate")
		}
	})
}

func FuzzMoney(f *testing.F) {
	f.Add(.1, []byte{0, 0, 0, 0, 0, 0, 0, 1, 255, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, rate float64, data []byte) {
		var flows []money.Flow
		for i := 0; i+8 <= len(data) && i < 8*200; i += 8 {
			flows = append(flows, money.Flow{At: float64(i) / 8, Amount: int64(binary.BigEndian.Uint64(data[i:]))})
		}
		number := func(x float64, ok bool) {
			if !ok {
				require.Zero(t, x)
			}
			require.False(t, math.IsNaN(x) || math.IsInf(x, 0))
		}
		number(money.NPV(rate, flows))
		number(money.ROI(flows))
		number(money.Payback(flows))
		number(money.DiscountedPayback(rate, flows))
		number(money.IRR(flows))
	})
}
