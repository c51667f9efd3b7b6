package server_test

import "google.golang.org/grpc/codes"

func badRequests() []row {
	return []row{
		bad("a field that is missing", "CreateApplication", `{"parent": "$ws"}`, codes.InvalidArgument, "INVALID_FIELD", "application"),
		bad("an id with capitals", "CreateApplication", `{"parent": "$ws", "applicationId": "CRM", "application": {}}`, codes.InvalidArgument, "INVALID_RESOURCE_ID", "lower"),
	}
}
func badWire() []row        { return nil }
func badPages() []row       { return nil }
func badBlobs() []row       { return nil }
func badReleases() []row    { return nil }
func badDeployments() []row { return nil }
func badPeople() []row      { return nil }
func badAccess() []row      { return nil }
func badAgents() []row      { return nil }
