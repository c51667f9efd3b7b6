-- +goose Up
-- Which rows are older than the columns about waiting is asked at every start, and none are after the first.
CREATE INDEX deployments_unfilled ON deployments (name) WHERE waits_since IS NULL;
CREATE INDEX waves_unfilled ON waves (name) WHERE waits_since IS NULL;
CREATE INDEX agents_unfilled ON agents (name) WHERE waits_since IS NULL;
CREATE INDEX migration_runs_unfilled ON migration_runs (name) WHERE waits_since IS NULL;
CREATE INDEX policies_unfilled ON policies (name) WHERE waits_since IS NULL;
