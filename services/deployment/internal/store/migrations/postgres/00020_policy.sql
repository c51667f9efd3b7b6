-- +goose Up
CREATE TABLE policies (
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
    display_name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX policies_parent ON policies (parent, name);

CREATE TABLE overrides (
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
    subject TEXT COLLATE "C" NOT NULL,
    gate TEXT COLLATE "C" NOT NULL,
    policy TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    expire_time BIGINT NOT NULL,
    revoke_time BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX overrides_parent ON overrides (parent, name);

-- Those that still hold: every step of a deployment reads them.
CREATE INDEX overrides_live ON overrides (parent, expire_time) WHERE revoke_time = 0;
