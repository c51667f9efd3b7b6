package api

import (
	"net"
	"strconv"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// checkRun refuses what no host could run: a release brings a program and says how it is
// started, or names a service that is on the host already.
func checkRun(release *deploymentv1.Release) error {
	run := release.GetRun()
	external := run.GetExternal()
	switch {
	case external == nil && len(run.GetCommand()) == 0:
		return runMissing("run.command", "must say what to start, unless run.external names a service of the host")
	case external == nil && len(release.GetArtifacts()) == 0:
		return runMissing("artifacts", "must hold one archive at least, unless run.external names a service of the host")
	case external != nil && len(run.GetCommand()) > 0:
		return runFault("run.command", "must be empty beside run.external, which says who starts the process")
	case external != nil && run.GetBlueGreen() != nil:
		return runFault("run.blue_green", "cannot be had with run.external: there is one service, which cannot run twice")
	case external != nil && run.GetLimits() != nil:
		return runFault("run.limits", "cannot be had with run.external: whoever starts the process limits it")
	}
	if commands := external.GetCommands(); commands != nil {
		for name, hook := range map[string]*deploymentv1.Hook{"start": commands.GetStart(), "stop": commands.GetStop(), "status": commands.GetStatus()} {
			if len(hook.GetCommand()) == 0 {
				return runMissing("run.external.commands."+name, "must hold a command")
			}
		}
	}
	return checkBlueGreen(run.GetBlueGreen())
}

func checkBlueGreen(b *deploymentv1.BlueGreen) error {
	const field = "run.blue_green"
	if b == nil {
		return nil
	}
	if (b.GetListen() == "") == (b.GetSwitch() == nil) {
		return runFault(field, "must have one of listen and switch: either the agent hands connections on, or a command points them")
	}
	if b.GetSwitch() != nil && len(b.GetSwitch().GetCommand()) == 0 {
		return runMissing(field+".switch", "must hold a command")
	}
	if b.GetListen() == "" {
		return nil
	}
	_, text, err := net.SplitHostPort(b.GetListen())
	port, numErr := strconv.ParseUint(text, 10, 16)
	if err != nil || numErr != nil || port == 0 {
		return runFault(field+".listen", "must be an address with a port, such as 127.0.0.1:8080")
	}
	for _, own := range b.GetPorts() {
		if uint64(own) == port { //nolint:gosec // the contract bounds it
			return runFault(field+".listen", "must be another port than the two that the versions use in turn")
		}
	}
	return nil
}

func runFault(field, why string) error { return cannotRun(resource.ReasonInvalidField, field, why) }

// runMissing is for a field that only the rest of the release makes a required one.
func runMissing(field, why string) error { return cannotRun(resource.ReasonRequired, field, why) }

func cannotRun(reason, field, why string) error {
	return fault.Invalid(reason, "the release cannot be run: %s %s; correct it and create the release again", field, why).Field("release."+field, why)
}
