-- +goose Up
CREATE TABLE subscriptions (
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
    state BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX subscriptions_parent ON subscriptions (parent);

-- What nobody may read: the address that a chat gave, and what webhooks are signed with. Not in the message, so in no event and no answer.
CREATE TABLE subscription_secrets (
    subscription         TEXT NOT NULL,
    address              TEXT NOT NULL, -- of a chat; empty otherwise
    secret               TEXT NOT NULL, -- of a webhook; empty otherwise
    previous             TEXT NOT NULL, -- used beside it until previous_expire_time
    previous_expire_time BIGINT NOT NULL,
    PRIMARY KEY (subscription)
);

-- One event on its way to one subscription.
CREATE TABLE event_deliveries (
    name        TEXT NOT NULL,
    parent      TEXT NOT NULL, -- the subscription
    event_id    TEXT NOT NULL,
    event_type  TEXT NOT NULL,
    resource    TEXT NOT NULL,
    state       BIGINT NOT NULL,
    attempts    BIGINT NOT NULL, -- all of them
    tries       BIGINT NOT NULL, -- since it was queued, or queued again
    claims      BIGINT NOT NULL, -- the fencing number: who claimed it last may finish it
    due_time    BIGINT NOT NULL, -- the next attempt, or the end of the claim
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    end_time    BIGINT NOT NULL, -- 0 while it waits
    event       BLOB NOT NULL,
    log         BLOB NOT NULL, -- the last attempts
    PRIMARY KEY (name)
) WITHOUT ROWID;
CREATE UNIQUE INDEX event_deliveries_event ON event_deliveries (parent, event_id);
CREATE INDEX event_deliveries_due ON event_deliveries (parent, due_time) WHERE state = 1;
CREATE INDEX event_deliveries_waiting ON event_deliveries (create_time) WHERE state = 1;
CREATE INDEX event_deliveries_ended ON event_deliveries (end_time) WHERE state <> 1;
