-- +goose Up
-- What ran where and when; to_time is 0 while it runs.
CREATE TABLE runs (
    target TEXT NOT NULL,
    application TEXT NOT NULL,
    from_time BIGINT NOT NULL,
    to_time BIGINT NOT NULL,
    release TEXT NOT NULL,
    installation TEXT NOT NULL,
    PRIMARY KEY (target, application, from_time)
) WITHOUT ROWID;
CREATE INDEX runs_application ON runs (application, from_time);
-- What runs has one open row.
CREATE UNIQUE INDEX runs_open ON runs (target, application) WHERE to_time = 0;
INSERT INTO runs (target, application, from_time, to_time, release, installation)
    SELECT target, application, since, 0, release, installation FROM slots;

CREATE TABLE incidents (
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
    state BIGINT NOT NULL,
    severity BIGINT NOT NULL,
    caused_by TEXT NOT NULL,
    detected_time BIGINT NOT NULL,
    restored_time BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX incidents_parent ON incidents (parent, name);
CREATE INDEX incidents_caused_by ON incidents (caused_by) WHERE caused_by <> '';
