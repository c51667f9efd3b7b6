// Package canary judges a new release against its baseline, one interval after the other. It is
// pure: counts come in, a verdict with its reasons comes out, and all that the next interval
// needs is in the Analysis, so that a restart goes on as if nothing had happened.
//
// # The decision
//
// Every interval gives a pair of shares, bad events of all events, of the canary and of the
// baseline in the same minute, so that what befalls both cancels. What is judged is the excess
//
//	d = canary − (1+δ)·baseline − δabs
//
// by a confidence sequence: an interval for its mean that may be looked at after every minute
// for as long as one likes and is still wrong at most α of the time (sequence.go). The lower end
// with the margin of FAIL above zero is FAIL; the upper end with the margin of PASS below zero is
// PASS; anything else is UNDECIDED, and the wave holds. FAIL is final. PASS stays unless it
// becomes FAIL: the interval has excluded what it excluded.
//
// # The fast path
//
// Disasters should not wait for eight intervals. Given that an error happened, the odds that it
// was the canary's are known under "no worse than the margin", whatever the rate of errors was;
// betting against those odds gives a second test that needs three (evidence.go). It may spend a
// fiftieth of α.
//
// # What it does not do
//
// No traffic, no baseline or no answer of the source is an interval that does not count, with
// its reason; it is never a zero and never a PASS. Latency and uptime are shares as well: of
// requests over the objective, of probes that failed.
//
// Sources: Robbins, Statistical methods related to the law of the iterated logarithm, 1970;
// Howard, Ramdas, McAuliffe, Sekhon, Time-uniform nonparametric nonasymptotic confidence
// sequences, 2021; Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, Time-uniform central limit theory
// and asymptotic confidence sequences, 2021; Ramdas, Grünwald, Vovk, Shafer, Game-theoretic
// statistics and safe anytime-valid inference, 2023.
package canary
