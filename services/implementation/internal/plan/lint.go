package plan

import implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"

// Lint is replaced below.
func Lint(in Input) *implementationv1.LintReport {
	return &implementationv1.LintReport{Implementation: in.Implementation.GetName()}
}
