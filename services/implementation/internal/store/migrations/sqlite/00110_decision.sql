-- +goose Up
-- Go/no-go decisions.
CREATE TABLE decisions (
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
    terminal INTEGER NOT NULL,
    display_name TEXT NOT NULL,
    state BIGINT NOT NULL,
    owner TEXT NOT NULL,
    due_time BIGINT NOT NULL,
    next_time BIGINT NOT NULL, -- when time alone ends what was decided
    override_time BIGINT NOT NULL, -- when the last override ends
    PRIMARY KEY (name)
);
CREATE INDEX decisions_parent ON decisions (parent, state);
CREATE INDEX decisions_next ON decisions (next_time) WHERE next_time > 0;

-- What decisions take as evidence, for the way from there to them.
CREATE TABLE decision_evidence (
    decision TEXT NOT NULL,
    resource TEXT NOT NULL,
    purpose BIGINT NOT NULL, -- golive.gate.v1.Purpose: which half
    PRIMARY KEY (decision, resource)
);
CREATE INDEX decision_evidence_resource ON decision_evidence (resource, decision);
