-- +goose Up
CREATE TABLE agents (
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
    connected SMALLINT NOT NULL,
    last_seen_time BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX agents_parent ON agents (parent, name);

-- What a join token lets in. The secret itself is not kept.
CREATE TABLE join_tokens (
    secret_hash BYTEA NOT NULL PRIMARY KEY, -- SHA-256
    agent TEXT COLLATE "C" NOT NULL,
    request BYTEA NOT NULL, -- the CreateJoinTokenRequest
    created_by TEXT COLLATE "C" NOT NULL,
    expire_time BIGINT NOT NULL,
    redeemed_by BYTEA, -- SHA-256 of the public key; NULL while it is not redeemed
    redeem_time BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX join_tokens_expire_time ON join_tokens (expire_time);

-- The enrolment whose certificates are accepted; certificates of earlier ones are not.
CREATE TABLE agent_enrolments (
    agent TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    enrolment TEXT COLLATE "C" NOT NULL
);

-- Which process holds the stream of an agent. connected counts only while lease_until is in the future.
CREATE TABLE agent_presence (
    agent TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    connected SMALLINT NOT NULL,
    boot_id TEXT COLLATE "C" NOT NULL,
    replica TEXT COLLATE "C" NOT NULL,
    changed_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
);

-- The same by target, for the engine.
CREATE TABLE target_presence (
    target TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    agent TEXT COLLATE "C" NOT NULL,
    connected SMALLINT NOT NULL,
    changed_at BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    replica TEXT COLLATE "C" NOT NULL,
    lease_until BIGINT NOT NULL
);
CREATE INDEX target_presence_agent ON target_presence (agent);

-- Which targets an agent serves is asked whenever one connects.
CREATE INDEX targets_agent ON targets (agent);
