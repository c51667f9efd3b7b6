-- +goose Up
-- The counter of a release's signed manifest; releases of before have none.
ALTER TABLE releases ADD COLUMN signed_counter BIGINT NOT NULL DEFAULT 0;
CREATE INDEX releases_counter ON releases (parent, signed_counter) WHERE signed_counter > 0;

-- What was migrated where. parent is the environment.
CREATE TABLE migration_runs (
    name TEXT NOT NULL,
    parent TEXT NOT NULL,
    uid TEXT NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BLOB NOT NULL,
    before_digest BLOB,
    message BLOB NOT NULL,
    application TEXT NOT NULL,
    migration_id TEXT NOT NULL,
    state BIGINT NOT NULL,
    phase BIGINT NOT NULL,
    deployment TEXT NOT NULL,
    runner TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX migration_runs_parent ON migration_runs (parent, name);
CREATE INDEX migration_runs_runner ON migration_runs (runner);
