package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
)

// verb is a command that changes one thing by a method of its own, with a reason.
type verb struct {
	use, short, word   string // word is the method's: Pause
	kind               string
	needReason, asking bool // asking shows the plan first
	follows            bool // it makes a deployment, which --watch follows
	subject            func(c *client, ctx context.Context, given string) (string, error)
	// instead does something else where its flags say so; done means that it did.
	instead func(ctx context.Context, c *client, name string) (done bool, err error)
	// shows tells what came of it in its own way.
	shows func(c *client, after proto.Message) error
}

// sample is the annotation of arguments to show an example with; the words before them are known once the command has its place.
const sample = "sample"

func (v verb) sample() string {
	names := map[string]string{
		"communication": "crm-rollout/begin", "deployment": "crm", "implementation": "crm-rollout", "installation": "crm/deployments/second/installations/sales-1", "stage": "crm-rollout/build",
		"task": "crm-rollout/configure", "wave": "crm/waves/sales",
	}
	name := names[v.kind]
	if name != "" && v.needReason {
		name += " --reason 'what has happened'"
	}
	return name
}

// exemplify gives commands an example that have none of their own.
func exemplify(cmd *cobra.Command) {
	if arguments := cmd.Annotations[sample]; arguments != "" && cmd.Example == "" {
		cmd.Example = "  " + cmd.CommandPath() + " " + arguments
	}
	for _, c := range cmd.Commands() {
		exemplify(c)
	}
}

func (a *app) verb(v verb, more ...func(*cobra.Command, *filler)) *cobra.Command {
	var (
		reason string
		yes    bool
		watch  bool
		w      watching
		fill   filler
	)
	cmd := &cobra.Command{Use: v.use, Short: v.short, Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
	if v.needReason {
		must(cmd.MarkFlagRequired("reason"))
	}
	if v.asking {
		yesFlag(cmd, &yes)
	}
	if v.follows {
		cmd.Flags().BoolVar(&watch, "watch", false, "follow it to its end")
		w.register(cmd)
	}
	for _, m := range more {
		m(cmd, &fill)
	}
	a.completeKind(cmd, v.kind)
	cmd.Annotations = map[string]string{sample: v.sample()}
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := v.subject(c, ctx, args[0])
		if err != nil {
			return err
		}
		if v.instead != nil {
			if done, err := v.instead(ctx, c, name); done || err != nil {
				return err
			}
		}
		if v.asking {
			if err := c.confirm(yes, strings.ToLower(v.word), kind.Short(name)); err != nil {
				return err
			}
		}
		after, err := c.command(ctx, mustFind(v.kind), v.word, name, func(req protoreflect.Message) {
			put(req, "reason", reason)
			for _, f := range fill {
				f(req)
			}
		})
		if err != nil {
			return err
		}
		if watch {
			return c.watchDeployment(ctx, nameOf(after), &w)
		}
		if v.shows != nil {
			return v.shows(c, after)
		}
		k, _, err := c.any(nameOf(after))
		if err != nil {
			return err
		}
		return c.printOne(k, after)
	})
}

// filler sets more fields of a request.
type filler []func(protoreflect.Message)

// command calls a custom method: VerbNoun(name, …) → noun.
func (c *client) command(ctx context.Context, k *kind.Kind, word, name string, fill func(protoreflect.Message)) (proto.Message, error) {
	noun := k.Message.Descriptor().Name()
	methods := k.Get.Parent().(protoreflect.ServiceDescriptor).Methods() //nolint:errcheck // a method's parent is its service
	resp, err := c.call(ctx, k, methods.ByName(protoreflect.Name(word)+noun), func(req protoreflect.Message) {
		put(req, "name", name)
		fill(req)
	})
	if err != nil {
		return nil, err
	}
	return resp.Interface(), nil
}

func (a *app) pause() *cobra.Command {
	return a.verb(verb{use: "pause DEPLOYMENT", short: "Stop new work; installations on their way reach their end", word: "Pause", kind: "deployment", subject: (*client).deploymentOf})
}

func (a *app) resume() *cobra.Command {
	return a.verb(verb{use: "resume DEPLOYMENT", short: "Go on after a pause or a freeze", word: "Resume", kind: "deployment", subject: (*client).deploymentOf})
}

func (a *app) cancel() *cobra.Command {
	return a.verb(verb{use: "cancel DEPLOYMENT", short: "End a deployment in order; sealed targets stay as they are", word: "Cancel", kind: "deployment", asking: true, subject: (*client).deploymentOf})
}

func (a *app) abandon() *cobra.Command {
	return a.verb(verb{use: "abandon DEPLOYMENT", short: "End a deployment at once without hearing its targets", word: "Abandon", kind: "deployment", needReason: true, asking: true, subject: (*client).deploymentOf})
}

func (a *app) rollback() *cobra.Command {
	var (
		preview bool
		file    string
		order   *deploymentv1.SignedDocument
	)
	v := verb{use: "rollback DEPLOYMENT", short: "Take targets back to what they ran before", word: "Rollback", kind: "deployment", asking: true, follows: true, subject: (*client).deploymentOf}
	v.instead = func(ctx context.Context, c *client, name string) (done bool, err error) {
		if order, err = c.signedFile(file); err != nil {
			return false, err
		}
		return preview, c.previewRollback(ctx, preview, name)
	}
	return a.verb(v, func(cmd *cobra.Command, fill *filler) {
		waves := cmd.Flags().StringSlice("waves", nil, "only these waves, by id; all when not given")
		cmd.Flags().BoolVar(&preview, "preview", false, "say what it would do, and do nothing")
		cmd.Flags().StringVar(&file, "order", "", "a signed rollback order, with FILE.minisig beside it; where releases are signed")
		*fill = append(*fill, func(req protoreflect.Message) {
			list := req.Mutable(req.Descriptor().Fields().ByName("waves")).List()
			for _, w := range *waves {
				list.Append(protoreflect.ValueOfString(w))
			}
			if order != nil {
				req.Set(req.Descriptor().Fields().ByName("rollback_order"), protoreflect.ValueOfMessage(order.ProtoReflect()))
			}
		})
	})
}

func (a *app) retry() *cobra.Command {
	return a.verb(verb{use: "retry INSTALLATION", short: "Try a failed installation again while its wave runs", word: "Retry", kind: "installation", subject: (*client).installationOf})
}

func (a *app) approve() *cobra.Command {
	return a.verb(verb{use: "approve WAVE", short: "Approve a wave, as somebody else than who made the deployment", word: "Approve", kind: "wave", subject: (*client).waveOf}, func(cmd *cobra.Command, fill *filler) {
		digest := cmd.Flags().String("digest", "", "refuse it unless the wave's approvalDigest is this one, as golive get wave WAVE -o json has shown it")
		*fill = append(*fill, func(req protoreflect.Message) { put(req, "digest", *digest) })
	})
}

func (a *app) reject() *cobra.Command {
	return a.verb(verb{use: "reject WAVE", short: "Reject a wave; its deployment ends", word: "Reject", kind: "wave", needReason: true, asking: true, subject: (*client).waveOf})
}

func (a *app) skip() *cobra.Command {
	return a.verb(verb{use: "skip WAVE", short: "Leave out a wave that has not started", word: "Skip", kind: "wave", needReason: true, asking: true, subject: (*client).waveOf})
}

func (c *client) installationOf(ctx context.Context, given string) (string, error) {
	k, name, err := c.subject(ctx, given)
	if err == nil && k.Singular != "installation" {
		err = usage(given+" is not an installation", "write crm/deployments/d1/installations/TARGET")
	}
	return name, err
}
