-- +goose Up
CREATE TABLE forecasts (
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
    PRIMARY KEY (name)
);
-- The newest of a plan.
CREATE INDEX forecasts_parent ON forecasts (parent, create_time);

CREATE TABLE proposals (
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
    terminal INTEGER NOT NULL,
    state BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX proposals_parent ON proposals (parent, create_time);
