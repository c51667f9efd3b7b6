-- +goose Up
-- Where people are reached: the one table of golive that holds addresses. A row of somebody who was erased
-- stays without them, so that no late import brings them back.
CREATE TABLE contacts (
    name         TEXT COLLATE "C" NOT NULL,
    parent       TEXT COLLATE "C" NOT NULL, -- the workspace
    person       TEXT COLLATE "C" NOT NULL,
    email        TEXT COLLATE "C" NOT NULL,
    language     TEXT COLLATE "C" NOT NULL,
    mail_opt_out BIGINT NOT NULL,
    erased       BIGINT NOT NULL,
    update_time  BIGINT NOT NULL,
    PRIMARY KEY (name)
);
