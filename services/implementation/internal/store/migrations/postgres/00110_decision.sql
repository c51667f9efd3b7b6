-- +goose Up
-- Go/no-go decisions.
CREATE TABLE decisions (
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
    terminal SMALLINT NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    state BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    due_time BIGINT NOT NULL,
    next_time BIGINT NOT NULL, -- when time alone ends what was decided
    override_time BIGINT NOT NULL, -- when the last override ends
    PRIMARY KEY (name)
);
CREATE INDEX decisions_parent ON decisions (parent, state);
CREATE INDEX decisions_next ON decisions (next_time) WHERE next_time > 0;

-- What decisions take as evidence, for the way from there to them.
CREATE TABLE decision_evidence (
    decision TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    purpose BIGINT NOT NULL, -- golive.gate.v1.Purpose: which half
    PRIMARY KEY (decision, resource)
);
CREATE INDEX decision_evidence_resource ON decision_evidence (resource, decision);
