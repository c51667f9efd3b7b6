-- +goose Up
-- What was answered under a request id (AIP-155). No index on expire_time: every write would pay for it, and
-- the hourly purge may as well walk the key.
CREATE TABLE request_ids (
    workspace   TEXT COLLATE "C" NOT NULL,
    method      TEXT COLLATE "C" NOT NULL,
    principal   TEXT COLLATE "C" NOT NULL,
    request_id  TEXT COLLATE "C" NOT NULL,
    digest      BYTEA            NOT NULL, -- SHA-256 of the request
    answer      BYTEA            NOT NULL,
    expire_time BIGINT           NOT NULL, -- unix microseconds
    PRIMARY KEY (workspace, method, principal, request_id)
);

-- Maps and lists of strings that filters may ask for, such as labels. List elements have the key ''.
CREATE TABLE resource_sets (
    name  TEXT COLLATE "C" NOT NULL, -- of the resource
    field TEXT COLLATE "C" NOT NULL, -- path in its message
    key   TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name, field, key, value)
);
