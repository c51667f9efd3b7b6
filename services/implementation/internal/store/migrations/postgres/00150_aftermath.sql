-- +goose Up
-- What is known of deployments under way from their events: where they go, and what they take back.
CREATE TABLE seen_deployments (
    name        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    environment TEXT COLLATE "C" NOT NULL,
    rollback_of TEXT COLLATE "C" NOT NULL
);

-- The wave that each plan's cohort has begun with, and the last verdict that let it.
CREATE TABLE started_waves (
    plan       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    wave       TEXT COLLATE "C" NOT NULL,
    start_time BIGINT NOT NULL,
    fallen     BIGINT NOT NULL, -- 1 from the fall of its readiness until it recovers
    verdict    BYTEA -- NULL where readiness never passed
);

-- When deployments of what an implementation is about are frozen, as the deployment service said last.
CREATE TABLE freezes (
    implementation TEXT COLLATE "C" NOT NULL,
    ordinal        BIGINT NOT NULL,
    policy         TEXT COLLATE "C" NOT NULL,
    start_time     BIGINT NOT NULL,
    end_time       BIGINT NOT NULL,
    reason         TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (implementation, ordinal)
);

-- When it is asked again.
CREATE TABLE freeze_asks (
    implementation TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    due_time       BIGINT NOT NULL,
    revision       BIGINT NOT NULL -- of the implementation that it was asked for
);

-- What calendars were told last of each entry, so that they are told of a change and of nothing else.
CREATE TABLE calendar_entries (
    implementation TEXT COLLATE "C" NOT NULL,
    uid            TEXT COLLATE "C" NOT NULL,
    sequence       BIGINT NOT NULL,
    digest         TEXT COLLATE "C" NOT NULL,
    change_time    BIGINT NOT NULL,
    PRIMARY KEY (implementation, uid)
);

-- Which wave took each cohort live.
ALTER TABLE cohort_plans ADD COLUMN live_wave TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX cohort_plans_live_wave ON cohort_plans (live_wave);
