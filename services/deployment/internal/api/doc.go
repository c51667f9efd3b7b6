// Package api answers the people-facing services of deployment.v1, one file a noun. A
// handler parses nothing that the chain has not checked and decides nothing: standard methods
// are package resource's, and what moves a deployment is the engine's.
package api
