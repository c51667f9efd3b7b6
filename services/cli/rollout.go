package cli

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
)

// subject resolves what a command about rollouts is about. Beside full and short
// names an application stands for its newest deployment: crm, crm/waves/sales.
func (c *client) subject(ctx context.Context, given string) (*kind.Kind, string, error) {
	segments := strings.Split(strings.Trim(given, "/"), "/")
	application := segments[0]
	switch {
	case len(segments) == 1:
	case len(segments) == 2 && segments[0] == "applications":
		application, segments = segments[1], segments[1:]
	case len(segments) == 3 && (segments[1] == "waves" || segments[1] == "installations"):
	case len(segments) == 4 && (segments[2] == "waves" || segments[2] == "installations"):
		return c.any(segments[0] + "/deployments/" + strings.Join(segments[1:], "/"))
	case len(segments) == 2 && segments[0] != "cohorts" && segments[0] != "trainings":
		if k, name, err := kind.Of(c.workspace, given); err == nil {
			return k, name, nil
		}
		name, err := c.name(mustFind("deployment"), given)
		return mustFind("deployment"), name, err
	default:
		return c.any(given)
	}
	newest, err := c.newest(ctx, application)
	if err != nil {
		return nil, "", err
	}
	if len(segments) == 1 {
		return mustFind("deployment"), newest, nil
	}
	return c.any(newest + "/" + strings.Join(segments[1:], "/"))
}

// newest returns the deployment of an application that was created last.
func (c *client) newest(ctx context.Context, application string) (string, error) {
	k := mustFind("deployment")
	parent, err := k.Parent(c.workspace, application)
	if err != nil {
		return "", usage(err.Error(), "golive list deployments shows the names")
	}
	found, _, err := c.all(ctx, k, query{parent: parent, order: "create_time desc", limit: 1})
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", &complaint{code: exitNotFound, what: application + " has no deployment", fix: "golive deploy " + application + " RELEASE --to ENVIRONMENT makes one"}
	}
	return nameOf(found[0]), nil
}

// deploymentOf resolves the name of a deployment.
func (c *client) deploymentOf(ctx context.Context, given string) (string, error) {
	k, name, err := c.subject(ctx, given)
	if err == nil && k.Singular != "deployment" {
		err = usage(fmt.Sprintf("%s is a %s and not a deployment", given, k.Singular), "write crm/deployments/d1, or the application for its newest")
	}
	return name, err
}

// waveOf resolves the name of a wave. A deployment stands for its wave that waits at a gate.
func (c *client) waveOf(ctx context.Context, given string) (string, error) {
	k, name, err := c.subject(ctx, given)
	if err != nil {
		return "", err
	}
	switch k.Singular {
	case "wave":
		return name, nil
	case "deployment":
		waves, err := c.waves(ctx, name)
		if err != nil {
			return "", err
		}
		for _, w := range waves {
			if w.GetState() == deploymentv1.Wave_GATED {
				return w.GetName(), nil
			}
		}
		return "", &complaint{code: exitConflict, what: "no wave of " + kind.Short(name) + " waits at a gate now", fix: "golive why " + kind.Short(name) + " says what it waits for"}
	default:
		return "", usage(fmt.Sprintf("%s is a %s and not a wave", given, k.Singular), "write crm/deployments/d1/waves/sales")
	}
}

func (c *client) waves(ctx context.Context, deployment string) ([]*deploymentv1.Wave, error) {
	found, _, err := c.all(ctx, mustFind("wave"), query{parent: deployment, order: "ordinal"})
	return as[*deploymentv1.Wave](found), err
}

// as gives a list of one kind its type back.
func as[M proto.Message](found []proto.Message) []M {
	typed := make([]M, 0, len(found))
	for _, m := range found {
		if one, ok := m.(M); ok {
			typed = append(typed, one)
		}
	}
	return typed
}

// over tells whether a deployment has ended.
func over(s deploymentv1.Deployment_State) bool {
	return s >= deploymentv1.Deployment_SUCCEEDED
}

// verdict is the exit code of a deployment that has ended.
func verdict(d *deploymentv1.Deployment) error {
	if d.GetState() == deploymentv1.Deployment_SUCCEEDED {
		return nil
	}
	return outcome(exitUnwell)
}
