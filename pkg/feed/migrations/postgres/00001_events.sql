-- +goose Up
-- Sequences become visible out of order, transaction ids below the snapshot's
-- horizon do not: readers order by (xid, seq) and stop at the horizon.
CREATE TABLE events (
    xid           XID8   NOT NULL DEFAULT pg_current_xact_id(),
    seq           BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,
    workspace     TEXT   COLLATE "C" NOT NULL,
    resource      TEXT   COLLATE "C" NOT NULL,
    type          TEXT   COLLATE "C" NOT NULL,
    revision      BIGINT NOT NULL,
    actor         TEXT   COLLATE "C" NOT NULL,
    cause         TEXT   NOT NULL,
    at            BIGINT NOT NULL,
    after         BYTEA,
    before_digest BYTEA,
    PRIMARY KEY (xid, seq)
);
CREATE INDEX events_by_workspace ON events (workspace, xid, seq);
CREATE INDEX events_by_resource ON events (resource, xid, seq);

CREATE TABLE event_epoch (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL);
INSERT INTO event_epoch (one, epoch) VALUES (1, substr(replace(gen_random_uuid()::text, '-', ''), 1, 16));
