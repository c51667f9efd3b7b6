package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

func (a *app) comment() *cobra.Command {
	cmd := &cobra.Command{
		Use: "comment ITEM [TEXT]", Short: "Say something about an item, or read what was said",
		Long:    "ITEM is a name with its collection: crm-rollout/tasks/configure, cohorts/sales. TEXT is Markdown; - reads it from stdin.",
		Example: "  golive comment crm-rollout/tasks/configure 'waits for the licence'\n  golive comment crm-rollout/tasks/configure", Args: cobra.RangeArgs(1, 2),
	}
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		subject, err := c.commented(args[0])
		if err != nil {
			return err
		}
		comments := implementationv1.NewCommentServiceClient(c.people)
		if len(args) == 1 {
			found, _, err := c.all(ctx, mustFind("comment"), query{parent: "workspaces/" + c.workspace, filter: `subject = "` + subject + `"`, order: "create_time"})
			if err != nil {
				return err
			}
			return c.printComments(as[*implementationv1.Comment](found))
		}
		text := args[1]
		if text == "-" {
			data, err := readAll(c.in)
			if err != nil {
				return err
			}
			text = string(data)
		}
		made, err := comments.CreateComment(ctx, &implementationv1.CreateCommentRequest{
			Parent: "workspaces/" + c.workspace, Comment: &implementationv1.Comment{Subject: subject, Text: text},
		})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("comment"), made)
	})
}

// commented resolves the name of an item. What stands alone is an implementation.
func (c *client) commented(given string) (string, error) {
	if !strings.Contains(given, "/") {
		return c.name(mustFind("implementation"), given)
	}
	_, name, err := kind.Of(c.workspace, given)
	if err != nil {
		return "", usage(err.Error(), "write crm-rollout/tasks/configure")
	}
	return name, nil
}

func (c *client) printComments(all []*implementationv1.Comment) error {
	if !c.format.ForPeople() {
		return show.Encode(c.out, c.format, &implementationv1.ListCommentsResponse{Comments: all})
	}
	if len(all) == 0 {
		c.note("nobody has said anything")
		return nil
	}
	for _, one := range all {
		at := one.GetCreateTime().AsTime().Local().Format(time.DateTime) //nolint:gosmopolitan // for who reads it
		if err := c.say("%s %s\n  %s", c.style.Bold(one.GetAuthor()), c.style.Dim(at), strings.ReplaceAll(one.GetText(), "\n", "\n  ")); err != nil {
			return err
		}
	}
	return nil
}
