// Package docs holds the documentation to the product. It has tests only: that the pages
// under docs/reference are what the code says (GOLIVE_UPDATE=1 go test ./services/docs writes
// them), that every command line in the documentation parses, and that every link leads somewhere.
// Package e2e runs the tutorial itself.
package docs
