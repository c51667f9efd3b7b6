//go:build !linux

package host

import deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"

// fill knows no more here.
func fill(*deploymentv1.HostFacts, string) {}
