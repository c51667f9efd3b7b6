-- +goose Up
-- The scorecard of an implementation at the end of a day. Nothing in it is more than was told on that day.
CREATE TABLE scorecard_snapshots (
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
    day TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX scorecard_snapshots_parent ON scorecard_snapshots (parent, day);
