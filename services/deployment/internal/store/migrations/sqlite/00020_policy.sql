-- +goose Up
CREATE TABLE policies (
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
    display_name TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX policies_parent ON policies (parent, name);

CREATE TABLE overrides (
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
    subject TEXT NOT NULL,
    gate TEXT NOT NULL,
    policy TEXT NOT NULL,
    person TEXT NOT NULL,
    expire_time BIGINT NOT NULL,
    revoke_time BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX overrides_parent ON overrides (parent, name);

-- Those that still hold: every step of a deployment reads them.
CREATE INDEX overrides_live ON overrides (parent, expire_time) WHERE revoke_time = 0;
