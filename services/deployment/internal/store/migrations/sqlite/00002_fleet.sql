-- +goose Up
CREATE TABLE agents (
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
    connected INTEGER NOT NULL,
    last_seen_time BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX agents_parent ON agents (parent, name);

-- What a join token lets in. The secret itself is not kept.
CREATE TABLE join_tokens (
    secret_hash BLOB NOT NULL PRIMARY KEY, -- SHA-256
    agent TEXT NOT NULL,
    request BLOB NOT NULL, -- the CreateJoinTokenRequest
    created_by TEXT NOT NULL,
    expire_time BIGINT NOT NULL,
    redeemed_by BLOB, -- SHA-256 of the public key; NULL while it is not redeemed
    redeem_time BIGINT NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX join_tokens_expire_time ON join_tokens (expire_time);

-- The enrolment whose certificates are accepted; certificates of earlier ones are not.
CREATE TABLE agent_enrolments (
    agent TEXT NOT NULL PRIMARY KEY,
    enrolment TEXT NOT NULL
) WITHOUT ROWID;

-- Which process holds the stream of an agent. connected counts only while lease_until is in the future.
CREATE TABLE agent_presence (
    agent TEXT NOT NULL PRIMARY KEY,
    connected INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    replica TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
) WITHOUT ROWID;

-- The same by target, for the engine.
CREATE TABLE target_presence (
    target TEXT NOT NULL PRIMARY KEY,
    agent TEXT NOT NULL,
    connected INTEGER NOT NULL,
    changed_at BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    replica TEXT NOT NULL,
    lease_until BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX target_presence_agent ON target_presence (agent);

-- Which targets an agent serves is asked whenever one connects.
CREATE INDEX targets_agent ON targets (agent);
