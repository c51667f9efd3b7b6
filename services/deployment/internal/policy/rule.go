package policy

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/interpreter"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// ReasonRuleInvalid is the reason of every refused expression.
const ReasonRuleInvalid = "POLICY_RULE_INVALID"

// What keeps a rule cheap: it runs inside the transaction that acts.
const (
	// maxExpression is how long an expression may be, in bytes.
	maxExpression = 4000
	// maxDepth is how deep its terms may be nested.
	maxDepth = 64
	// maxCost is what one evaluation may cost, in units of cel-go, of which a step is about one.
	maxCost = 20_000
)

// Facts is what a rule may look at. What is nil reads as empty.
type Facts struct {
	Deployment  *deploymentv1.Deployment
	Wave        *deploymentv1.Wave
	Release     *deploymentv1.Release
	Environment *deploymentv1.Environment
	Application *deploymentv1.Application
	Counts      *deploymentv1.InstallationCounts
	Verb        deploymentv1.Verb
	// Principal is who wants it: `users/alice`; the engine where nobody does.
	Principal string
	Now       time.Time
}

// language returns what rules are written in: the messages of the API by their names, a
// verb, a person and a time. It is built once, when the first rule is seen, and never changes.
var language = sync.OnceValues(func() (*cel.Env, error) {
	message := func(name string, m proto.Message) cel.EnvOption {
		return cel.Variable(name, cel.ObjectType(string(m.ProtoReflect().Descriptor().FullName())))
	}
	return cel.NewEnv(
		cel.Container("golive.deployment.v1"), // so that an enum reads Deployment.State.RUNNING
		cel.Types(&deploymentv1.Deployment{}, &deploymentv1.Wave{}, &deploymentv1.Release{}, &deploymentv1.Environment{}, &deploymentv1.Application{}),
		message("deployment", &deploymentv1.Deployment{}),
		message("wave", &deploymentv1.Wave{}),
		message("release", &deploymentv1.Release{}),
		message("environment", &deploymentv1.Environment{}),
		message("application", &deploymentv1.Application{}),
		message("counts", &deploymentv1.InstallationCounts{}),
		cel.Variable("verb", cel.StringType),
		cel.Variable("principal", cel.StringType),
		cel.Variable("now", cel.TimestampType),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ParserRecursionLimit(maxDepth),
		cel.ExtendedValidations(), // literals such as patterns, durations and times are looked at now, not at night
	)
})

// Rule is an expression that is either true or not, compiled.
type Rule struct{ program cel.Program }

// NewRule compiles an expression, or answers POLICY_RULE_INVALID with the place where it is
// wrong. path is where the expression stands in the request.
func NewRule(expression, path string) (*Rule, error) {
	refuse := func(why string) error {
		return fault.Invalid(ReasonRuleInvalid, "%s %s; correct it and send the request again", path, why).Field(path, why)
	}
	env, err := language()
	if err != nil {
		return nil, fmt.Errorf("language of rules: %w", err)
	}
	ast, issues := env.Compile(expression)
	if issues.Err() != nil {
		first := issues.Errors()[0]
		return nil, refuse(fmt.Sprintf("is no rule: line %d, column %d: %s", first.Location.Line(), first.Location.Column()+1, strings.TrimSpace(first.Message)))
	}
	if ast.OutputType() != cel.BoolType {
		return nil, refuse(fmt.Sprintf("must be true or false; it is of type %s", ast.OutputType()))
	}
	program, err := env.Program(ast, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, refuse("is no rule: " + err.Error())
	}
	return &Rule{program: program}, nil
}

// Holds reports whether the rule is true of the facts. Where it has no answer, because it costs
// too much or stumbles over a value, it does not hold, and why says so.
func (r *Rule) Holds(f Facts) (holds bool, why string) {
	value, _, err := r.program.Eval(map[string]any{
		"deployment": orEmpty(f.Deployment), "wave": orEmpty(f.Wave), "release": orEmpty(f.Release), "environment": orEmpty(f.Environment),
		"application": orEmpty(f.Application), "counts": orEmpty(f.Counts), "verb": f.Verb.String(), "principal": f.Principal, "now": f.Now,
	})
	if _, ok := errors.AsType[interpreter.EvalCancelledError](err); ok {
		return false, fmt.Sprintf("it was given up: it costs more than %d steps", maxCost)
	}
	if err != nil {
		return false, "it has no answer: " + err.Error()
	}
	holds, _ = value.Value().(bool)
	return holds, ""
}

// orEmpty stands in for a message that is not there.
func orEmpty[M interface {
	proto.Message
	*T
}, T any](m M) M {
	if m == nil {
		return M(new(T))
	}
	return m
}
