-- +goose Up
-- What was answered under a request id (AIP-155). No index on expire_time: every write would pay for it, and
-- the hourly purge may as well walk the key.
CREATE TABLE request_ids (
    workspace   TEXT   NOT NULL,
    method      TEXT   NOT NULL,
    principal   TEXT   NOT NULL,
    request_id  TEXT   NOT NULL,
    digest      BLOB   NOT NULL, -- SHA-256 of the request
    answer      BLOB   NOT NULL,
    expire_time BIGINT NOT NULL, -- unix microseconds
    PRIMARY KEY (workspace, method, principal, request_id)
) WITHOUT ROWID;

-- Maps and lists of strings that filters may ask for, such as labels. List elements have the key ''.
CREATE TABLE resource_sets (
    name  TEXT NOT NULL, -- of the resource
    field TEXT NOT NULL, -- path in its message
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name, field, key, value)
) WITHOUT ROWID;
