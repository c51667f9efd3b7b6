-- +goose Up
CREATE TABLE features (
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
    display_name TEXT NOT NULL,
    kind BIGINT NOT NULL,
    application TEXT NOT NULL,
    PRIMARY KEY (name)
);

-- The features that a cohort plan counts by name, so that none is deleted under it.
CREATE TABLE cohort_plan_features (
    plan    TEXT NOT NULL,
    feature TEXT NOT NULL,
    PRIMARY KEY (plan, feature)
) WITHOUT ROWID;
CREATE INDEX cohort_plan_features_feature ON cohort_plan_features (feature, plan);

-- Who is out of all counting of usage, and when. Days since 1970-01-01; an end_day of 0 is none, and the end is excluded.
CREATE TABLE usage_opt_outs (
    person    TEXT NOT NULL,
    workspace TEXT NOT NULL,
    ordinal   BIGINT NOT NULL,
    start_day BIGINT NOT NULL,
    end_day   BIGINT NOT NULL,
    PRIMARY KEY (person, start_day)
) WITHOUT ROWID;
CREATE INDEX usage_opt_outs_workspace ON usage_opt_outs (workspace, ordinal);

-- The groups that numbers of usage were given about: roaring bitmaps over people's ordinals. A further group of
-- the workspace may differ from each of them by nobody, or by as many as a group must have.
CREATE TABLE usage_groups (
    workspace   TEXT NOT NULL,
    subject     TEXT NOT NULL, -- the cohort, or the implementation for a total
    digest      BLOB NOT NULL, -- of people, so that none is there twice
    release_day BIGINT NOT NULL,
    people      BLOB NOT NULL,
    PRIMARY KEY (workspace, subject, digest)
) WITHOUT ROWID;

-- A row to lock: releases of groups and opt-outs of a workspace come one after the other. Opt-outs raise the version.
CREATE TABLE usage_locks (
    workspace TEXT NOT NULL,
    version   BIGINT NOT NULL,
    PRIMARY KEY (workspace)
) WITHOUT ROWID;

-- What was purged, when, and how much: the receipt.
CREATE TABLE usage_purges (
    feature    TEXT NOT NULL,
    before_day BIGINT NOT NULL,
    purge_time BIGINT NOT NULL,
    days       BIGINT NOT NULL,
    bits       BIGINT NOT NULL,
    digest     BLOB NOT NULL,
    PRIMARY KEY (feature, before_day)
) WITHOUT ROWID;

-- Whether the memberships of a cohort are those that were read before, without a look at the table.
CREATE INDEX memberships_changed ON memberships (parent, update_time);
