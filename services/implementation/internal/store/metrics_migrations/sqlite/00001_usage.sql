-- +goose Up
-- Who used a feature on a day: a roaring bitmap over ordinals. A person has the ordinal of the people table;
-- a key that is bound to nobody has one of its own from 2^31 on. Days since 1970-01-01.
CREATE TABLE usage_days (
    feature TEXT NOT NULL,
    day     BIGINT NOT NULL,
    bits    BLOB NOT NULL,
    PRIMARY KEY (feature, day)
);
CREATE INDEX usage_days_day ON usage_days (day);

-- The keys that applications send, and whose bits they set.
CREATE TABLE usage_subjects (
    workspace TEXT NOT NULL,
    key       TEXT NOT NULL,
    ordinal   BIGINT NOT NULL,
    PRIMARY KEY (workspace, key)
) WITHOUT ROWID;
CREATE INDEX usage_subjects_ordinal ON usage_subjects (workspace, ordinal);

-- The next ordinal of a key that is bound to nobody, and how often keys were bound to somebody: what a
-- process remembers of keys holds for one epoch.
CREATE TABLE usage_epochs (
    workspace TEXT NOT NULL,
    next      BIGINT NOT NULL,
    epoch     BIGINT NOT NULL,
    PRIMARY KEY (workspace)
) WITHOUT ROWID;

-- What is left of days whose bits were purged: how many had used a feature in a month, where they were as many as a group must have.
CREATE TABLE usage_months (
    feature TEXT NOT NULL,
    month   TEXT NOT NULL, -- 2026-03
    people  BIGINT NOT NULL, -- -1 where they were too few
    PRIMARY KEY (feature, month)
) WITHOUT ROWID;
