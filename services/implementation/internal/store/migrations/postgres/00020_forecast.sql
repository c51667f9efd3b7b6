-- +goose Up
CREATE TABLE forecasts (
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
    PRIMARY KEY (name)
);
-- The newest of a plan.
CREATE INDEX forecasts_parent ON forecasts (parent, create_time);

CREATE TABLE proposals (
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
    state BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX proposals_parent ON proposals (parent, create_time);
