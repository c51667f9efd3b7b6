-- +goose Up
-- What is known of deployments under way from their events: where they go, and what they take back.
CREATE TABLE seen_deployments (
    name        TEXT NOT NULL PRIMARY KEY,
    environment TEXT NOT NULL,
    rollback_of TEXT NOT NULL
) WITHOUT ROWID;

-- The wave that each plan's cohort has begun with, and the last verdict that let it.
CREATE TABLE started_waves (
    plan       TEXT NOT NULL PRIMARY KEY,
    wave       TEXT NOT NULL,
    start_time BIGINT NOT NULL,
    fallen     BIGINT NOT NULL, -- 1 from the fall of its readiness until it recovers
    verdict    BLOB -- NULL where readiness never passed
) WITHOUT ROWID;

-- When deployments of what an implementation is about are frozen, as the deployment service said last.
CREATE TABLE freezes (
    implementation TEXT NOT NULL,
    ordinal        BIGINT NOT NULL,
    policy         TEXT NOT NULL,
    start_time     BIGINT NOT NULL,
    end_time       BIGINT NOT NULL,
    reason         TEXT NOT NULL,
    PRIMARY KEY (implementation, ordinal)
) WITHOUT ROWID;

-- When it is asked again.
CREATE TABLE freeze_asks (
    implementation TEXT NOT NULL PRIMARY KEY,
    due_time       BIGINT NOT NULL,
    revision       BIGINT NOT NULL -- of the implementation that it was asked for
) WITHOUT ROWID;

-- What calendars were told last of each entry, so that they are told of a change and of nothing else.
CREATE TABLE calendar_entries (
    implementation TEXT NOT NULL,
    uid            TEXT NOT NULL,
    sequence       BIGINT NOT NULL,
    digest         TEXT NOT NULL,
    change_time    BIGINT NOT NULL,
    PRIMARY KEY (implementation, uid)
) WITHOUT ROWID;

-- Which wave took each cohort live.
ALTER TABLE cohort_plans ADD COLUMN live_wave TEXT NOT NULL DEFAULT '';
CREATE INDEX cohort_plans_live_wave ON cohort_plans (live_wave);
