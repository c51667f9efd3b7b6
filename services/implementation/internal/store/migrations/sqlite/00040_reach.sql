-- +goose Up
CREATE TABLE stakeholders (
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
    person TEXT NOT NULL,
    influence BIGINT NOT NULL,
    stance BIGINT NOT NULL,
    sponsor INTEGER NOT NULL,
    owner TEXT NOT NULL,
    last_contact_time BIGINT NOT NULL,
    last_action_time BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX stakeholders_parent ON stakeholders (parent);
CREATE INDEX stakeholders_person ON stakeholders (person);

-- Every stance that was recorded. Rows are added and never changed; the note stays out of the event log.
CREATE TABLE stance_changes (
    name            TEXT   NOT NULL,
    parent          TEXT   NOT NULL, -- the stakeholder
    stance          BIGINT NOT NULL,
    previous_stance BIGINT NOT NULL, -- 0 for the first
    note            TEXT   NOT NULL,
    recorder        TEXT   NOT NULL,
    create_time     BIGINT NOT NULL,
    PRIMARY KEY (name)
) WITHOUT ROWID;
CREATE INDEX stance_changes_parent ON stance_changes (parent, create_time);

CREATE TABLE communications (
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
    channel BIGINT NOT NULL,
    must_know INTEGER NOT NULL,
    owner TEXT NOT NULL,
    state BIGINT NOT NULL,
    send_time BIGINT NOT NULL,
    sent_time BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX communications_parent ON communications (parent);
-- What is due to be sent, and what is on its way.
CREATE INDEX communications_due ON communications (state, send_time) WHERE state IN (2, 3);

-- One message to one person. No address: it is looked up when the message is sent. The words are
-- emptied when it has left, because links in them are for one person.
CREATE TABLE outbox (
    name        TEXT   NOT NULL,
    parent      TEXT   NOT NULL, -- the workspace
    person      TEXT   NOT NULL, -- empty once erased
    kind        BIGINT NOT NULL,
    about       TEXT   NOT NULL,
    subject     TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    state       BIGINT NOT NULL,
    attempts    BIGINT NOT NULL, -- also the fencing number: who claimed it last may finish it
    due_time    BIGINT NOT NULL, -- the next attempt, or the end of the claim
    reply_code  BIGINT NOT NULL,
    reason      TEXT   NOT NULL,
    create_time BIGINT NOT NULL,
    finish_time BIGINT NOT NULL, -- 0 while it waits
    PRIMARY KEY (name)
) WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (due_time) WHERE state = 1;
CREATE INDEX outbox_about ON outbox (about, state);
CREATE INDEX outbox_person ON outbox (person);

-- Pseudonyms that are retired for ever, with the receipts of their erasure.
CREATE TABLE erasures (
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
    state BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX erasures_open ON erasures (state) WHERE state = 1;
