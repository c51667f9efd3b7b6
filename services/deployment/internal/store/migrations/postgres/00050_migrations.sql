-- +goose Up
-- The counter of a release's signed manifest; releases of before have none.
ALTER TABLE releases ADD COLUMN signed_counter BIGINT NOT NULL DEFAULT 0;
CREATE INDEX releases_counter ON releases (parent, signed_counter) WHERE signed_counter > 0;

-- What was migrated where. parent is the environment.
CREATE TABLE migration_runs (
    name TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C" NOT NULL,
    uid TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT COLLATE "C" NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    before_digest BYTEA,
    message BYTEA NOT NULL,
    application TEXT COLLATE "C" NOT NULL,
    migration_id TEXT COLLATE "C" NOT NULL,
    state BIGINT NOT NULL,
    phase BIGINT NOT NULL,
    deployment TEXT COLLATE "C" NOT NULL,
    runner TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX migration_runs_parent ON migration_runs (parent, name);
CREATE INDEX migration_runs_runner ON migration_runs (runner);
