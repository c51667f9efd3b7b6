-- +goose Up
CREATE TABLE wakes (
    kind       TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    due_at     BIGINT NOT NULL, -- far in the future while a worker has it and nobody asked again
    generation BIGINT NOT NULL, -- counts the wakes since the row exists
    attempts   BIGINT NOT NULL, -- failures in a row
    holder     TEXT   NOT NULL, -- the worker's process; empty while a job is on its way
    held_until BIGINT NOT NULL, -- a lease: after it anyone may take the row
    PRIMARY KEY (kind, name)
);
CREATE INDEX wakes_by_due ON wakes (due_at);
CREATE INDEX wakes_by_lease ON wakes (held_until) WHERE holder <> '';
