package demo

import (
	"google.golang.org/grpc"

	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	waitingv1 "github.com/golive-dev/golive/proto/golive/waiting/v1"
	"github.com/golive-dev/golive/services/waiting"
)

// clients are those of the contracts that the story needs, each with one person's token.
type clients struct {
	machines
	people

	// both asks the two services what waits.
	both waiting.Peers
}

// machines are contracts of the deployment service.
type machines struct {
	applications  deploymentv1.ApplicationServiceClient
	releases      deploymentv1.ReleaseServiceClient
	blobs         deploymentv1.BlobServiceClient
	environments  deploymentv1.EnvironmentServiceClient
	targets       deploymentv1.TargetServiceClient
	agents        deploymentv1.AgentServiceClient
	deployments   deploymentv1.DeploymentServiceClient
	waves         deploymentv1.WaveServiceClient
	installations deploymentv1.InstallationServiceClient
	migrations    deploymentv1.MigrationServiceClient
	analyses      deploymentv1.AnalysisServiceClient
	policies      deploymentv1.PolicyServiceClient
	overrides     deploymentv1.OverrideServiceClient
	feedback      deploymentv1.FeedbackServiceClient
	access        accessv1.AccessServiceClient
}

// people are contracts of the implementation service.
type people struct {
	implementations implementationv1.ImplementationServiceClient
	cohorts         implementationv1.CohortServiceClient
	memberships     implementationv1.MembershipServiceClient
	trainings       implementationv1.TrainingServiceClient
	enrolments      implementationv1.EnrolmentServiceClient
	plans           implementationv1.CohortPlanServiceClient
	stages          implementationv1.StageServiceClient
	tasks           implementationv1.TaskServiceClient
	baselines       implementationv1.BaselineServiceClient
	decisions       implementationv1.DecisionServiceClient
	subscriptions   implementationv1.SubscriptionServiceClient
	features        implementationv1.FeatureServiceClient
	usage           implementationv1.UsageServiceClient
	adoption        implementationv1.AdoptionServiceClient
	surveys         implementationv1.SurveyServiceClient
	surveyWaves     implementationv1.SurveyWaveServiceClient
	responses       implementationv1.ResponseServiceClient
	budget          implementationv1.BudgetLineServiceClient
	ledger          implementationv1.LedgerEntryServiceClient
	scorecards      implementationv1.ScorecardServiceClient
	comparisons     implementationv1.ComparisonServiceClient
}

func dial(d, i grpc.ClientConnInterface) clients {
	return clients{
		machines: machines{
			applications: deploymentv1.NewApplicationServiceClient(d), releases: deploymentv1.NewReleaseServiceClient(d), blobs: deploymentv1.NewBlobServiceClient(d),
			environments: deploymentv1.NewEnvironmentServiceClient(d), targets: deploymentv1.NewTargetServiceClient(d), agents: deploymentv1.NewAgentServiceClient(d),
			deployments: deploymentv1.NewDeploymentServiceClient(d), waves: deploymentv1.NewWaveServiceClient(d), installations: deploymentv1.NewInstallationServiceClient(d),
			migrations: deploymentv1.NewMigrationServiceClient(d), analyses: deploymentv1.NewAnalysisServiceClient(d), policies: deploymentv1.NewPolicyServiceClient(d),
			overrides: deploymentv1.NewOverrideServiceClient(d), feedback: deploymentv1.NewFeedbackServiceClient(d), access: accessv1.NewAccessServiceClient(d),
		},
		people: people{
			implementations: implementationv1.NewImplementationServiceClient(i), cohorts: implementationv1.NewCohortServiceClient(i),
			memberships: implementationv1.NewMembershipServiceClient(i), trainings: implementationv1.NewTrainingServiceClient(i),
			enrolments: implementationv1.NewEnrolmentServiceClient(i), plans: implementationv1.NewCohortPlanServiceClient(i), stages: implementationv1.NewStageServiceClient(i),
			tasks: implementationv1.NewTaskServiceClient(i), baselines: implementationv1.NewBaselineServiceClient(i), decisions: implementationv1.NewDecisionServiceClient(i), subscriptions: implementationv1.NewSubscriptionServiceClient(i),
			features: implementationv1.NewFeatureServiceClient(i), usage: implementationv1.NewUsageServiceClient(i), adoption: implementationv1.NewAdoptionServiceClient(i),
			surveys: implementationv1.NewSurveyServiceClient(i), surveyWaves: implementationv1.NewSurveyWaveServiceClient(i), responses: implementationv1.NewResponseServiceClient(i),
			budget: implementationv1.NewBudgetLineServiceClient(i), ledger: implementationv1.NewLedgerEntryServiceClient(i),
			scorecards: implementationv1.NewScorecardServiceClient(i), comparisons: implementationv1.NewComparisonServiceClient(i),
		},
		both: waiting.Peers{Deployment: waitingv1.NewWaitingServiceClient(d), Implementation: waitingv1.NewWaitingServiceClient(i)},
	}
}
