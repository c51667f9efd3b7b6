-- +goose Up
CREATE TABLE subscriptions (
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
    state BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX subscriptions_parent ON subscriptions (parent);

-- What nobody may read: the address that a chat gave, and what webhooks are signed with. Not in the message, so in no event and no answer.
CREATE TABLE subscription_secrets (
    subscription         TEXT COLLATE "C" NOT NULL,
    address              TEXT COLLATE "C" NOT NULL, -- of a chat; empty otherwise
    secret               TEXT COLLATE "C" NOT NULL, -- of a webhook; empty otherwise
    previous             TEXT COLLATE "C" NOT NULL, -- used beside it until previous_expire_time
    previous_expire_time BIGINT NOT NULL,
    PRIMARY KEY (subscription)
);

-- One event on its way to one subscription.
CREATE TABLE event_deliveries (
    name        TEXT COLLATE "C" NOT NULL,
    parent      TEXT COLLATE "C" NOT NULL, -- the subscription
    event_id    TEXT COLLATE "C" NOT NULL,
    event_type  TEXT COLLATE "C" NOT NULL,
    resource    TEXT COLLATE "C" NOT NULL,
    state       BIGINT NOT NULL,
    attempts    BIGINT NOT NULL, -- all of them
    tries       BIGINT NOT NULL, -- since it was queued, or queued again
    claims      BIGINT NOT NULL, -- the fencing number: who claimed it last may finish it
    due_time    BIGINT NOT NULL, -- the next attempt, or the end of the claim
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    end_time    BIGINT NOT NULL, -- 0 while it waits
    event       BYTEA NOT NULL,
    log         BYTEA NOT NULL, -- the last attempts
    PRIMARY KEY (name)
);
CREATE UNIQUE INDEX event_deliveries_event ON event_deliveries (parent, event_id);
CREATE INDEX event_deliveries_due ON event_deliveries (parent, due_time) WHERE state = 1;
CREATE INDEX event_deliveries_waiting ON event_deliveries (create_time) WHERE state = 1;
CREATE INDEX event_deliveries_ended ON event_deliveries (end_time) WHERE state <> 1;
