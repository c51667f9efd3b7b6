-- +goose Up
-- What an approval was given for, and the roles that the person held then, with commas.
ALTER TABLE approvals ADD COLUMN digest TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN roles TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Since when what runs on a slot has answered without a break; 0 where it never failed since it came.
ALTER TABLE slots ADD COLUMN well_since BIGINT NOT NULL DEFAULT 0;

-- The turns of the gates of a wave; appended, never changed. parent is the wave.
CREATE TABLE gate_evaluations (
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
    gate TEXT COLLATE "C" NOT NULL,
    ordinal BIGINT NOT NULL,
    state BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX gate_evaluations_parent ON gate_evaluations (parent, ordinal);

-- What users think of releases. parent is the application.
CREATE TABLE feedback (
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
    release TEXT COLLATE "C" NOT NULL,
    cohort TEXT COLLATE "C" NOT NULL,
    rating BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX feedback_parent ON feedback (parent, name);
CREATE INDEX feedback_release ON feedback (parent, release, cohort, rating);

-- The key that turns the author of feedback into a pseudonym. It goes with the application: what it hashed cannot be told again.
CREATE TABLE feedback_keys (
    application TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    secret BYTEA NOT NULL
);

-- The load test of a capacity gate: one at a time, by whoever holds the lease, and its result once it ended.
CREATE TABLE load_tests (
    wave TEXT COLLATE "C" NOT NULL,
    gate TEXT COLLATE "C" NOT NULL,
    lease_until BIGINT NOT NULL,
    start_time BIGINT NOT NULL,
    end_time BIGINT NOT NULL,
    result BYTEA,
    PRIMARY KEY (wave, gate)
);
