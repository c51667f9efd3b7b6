-- +goose Up
-- The scorecard of an implementation at the end of a day. Nothing in it is more than was told on that day.
CREATE TABLE scorecard_snapshots (
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
    day TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX scorecard_snapshots_parent ON scorecard_snapshots (parent, day);
