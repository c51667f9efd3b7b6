-- +goose Up
CREATE TABLE features (
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
    display_name TEXT COLLATE "C" NOT NULL,
    kind BIGINT NOT NULL,
    application TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);

-- The features that a cohort plan counts by name, so that none is deleted under it.
CREATE TABLE cohort_plan_features (
    plan    TEXT COLLATE "C" NOT NULL,
    feature TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (plan, feature)
);
CREATE INDEX cohort_plan_features_feature ON cohort_plan_features (feature, plan);

-- Who is out of all counting of usage, and when. Days since 1970-01-01; an end_day of 0 is none, and the end is excluded.
CREATE TABLE usage_opt_outs (
    person    TEXT COLLATE "C" NOT NULL,
    workspace TEXT COLLATE "C" NOT NULL,
    ordinal   BIGINT NOT NULL,
    start_day BIGINT NOT NULL,
    end_day   BIGINT NOT NULL,
    PRIMARY KEY (person, start_day)
);
CREATE INDEX usage_opt_outs_workspace ON usage_opt_outs (workspace, ordinal);

-- The groups that numbers of usage were given about: roaring bitmaps over people's ordinals. A further group of
-- the workspace may differ from each of them by nobody, or by as many as a group must have.
CREATE TABLE usage_groups (
    workspace   TEXT COLLATE "C" NOT NULL,
    subject     TEXT COLLATE "C" NOT NULL, -- the cohort, or the implementation for a total
    digest      BYTEA NOT NULL, -- of people, so that none is there twice
    release_day BIGINT NOT NULL,
    people      BYTEA NOT NULL,
    PRIMARY KEY (workspace, subject, digest)
);

-- A row to lock: releases of groups and opt-outs of a workspace come one after the other. Opt-outs raise the version.
CREATE TABLE usage_locks (
    workspace TEXT COLLATE "C" NOT NULL,
    version   BIGINT NOT NULL,
    PRIMARY KEY (workspace)
);

-- What was purged, when, and how much: the receipt.
CREATE TABLE usage_purges (
    feature    TEXT COLLATE "C" NOT NULL,
    before_day BIGINT NOT NULL,
    purge_time BIGINT NOT NULL,
    days       BIGINT NOT NULL,
    bits       BIGINT NOT NULL,
    digest     BYTEA NOT NULL,
    PRIMARY KEY (feature, before_day)
);

-- Whether the memberships of a cohort are those that were read before, without a look at the table.
CREATE INDEX memberships_changed ON memberships (parent, update_time);
