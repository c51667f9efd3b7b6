-- +goose Up
CREATE TABLE events (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace     TEXT   NOT NULL,
    resource      TEXT   NOT NULL,
    type          TEXT   NOT NULL,
    revision      BIGINT NOT NULL,
    actor         TEXT   NOT NULL,
    cause         TEXT   NOT NULL,
    at            BIGINT NOT NULL,
    after         BLOB,
    before_digest BLOB
);
CREATE INDEX events_by_workspace ON events (workspace, seq);
CREATE INDEX events_by_resource ON events (resource, seq);

CREATE TABLE event_epoch (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL);
INSERT INTO event_epoch (one, epoch) VALUES (1, lower(hex(randomblob(8))));
