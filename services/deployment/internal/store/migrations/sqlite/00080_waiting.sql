-- +goose Up
-- What waits: since when and for whom, derived from the message; 0 where it does not wait. NULL until a step in Go has filled
-- it, which finds little to do: what has ended waits for nothing.
ALTER TABLE deployments ADD COLUMN waits_since BIGINT;
ALTER TABLE deployments ADD COLUMN waits_owner TEXT;
UPDATE deployments SET waits_since = 0, waits_owner = '' WHERE terminal = 1;
CREATE INDEX deployments_waits ON deployments (waits_since, name) WHERE waits_since > 0;

ALTER TABLE waves ADD COLUMN waits_since BIGINT;
ALTER TABLE waves ADD COLUMN waits_owner TEXT;
UPDATE waves SET waits_since = 0, waits_owner = '' WHERE terminal = 1;
CREATE INDEX waves_waits ON waves (waits_since, name) WHERE waits_since > 0;

ALTER TABLE agents ADD COLUMN waits_since BIGINT;
ALTER TABLE agents ADD COLUMN waits_owner TEXT;
CREATE INDEX agents_waits ON agents (waits_since, name) WHERE waits_since > 0;

ALTER TABLE migration_runs ADD COLUMN waits_since BIGINT;
ALTER TABLE migration_runs ADD COLUMN waits_owner TEXT;
CREATE INDEX migration_runs_waits ON migration_runs (waits_since, name) WHERE waits_since > 0;

ALTER TABLE policies ADD COLUMN waits_since BIGINT;
ALTER TABLE policies ADD COLUMN waits_owner TEXT;
CREATE INDEX policies_waits ON policies (waits_since, name) WHERE waits_since > 0;

-- Those that went silent, and those that wait for another target to migrate.
CREATE INDEX installations_waits ON installations (update_time, name) WHERE active = 1 AND state IN (6, 15, 16);

-- Waves that wait for themselves, as the search for circles found them last; the path is names, one a line.
CREATE TABLE wave_circles (
    wave TEXT NOT NULL PRIMARY KEY,
    deployment TEXT NOT NULL,
    path TEXT NOT NULL,
    since BIGINT NOT NULL
);
CREATE INDEX wave_circles_deployment ON wave_circles (deployment);
