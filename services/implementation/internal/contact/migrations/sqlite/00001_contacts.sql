-- +goose Up
-- Where people are reached: the one table of golive that holds addresses. A row of somebody who was erased
-- stays without them, so that no late import brings them back.
CREATE TABLE contacts (
    name         TEXT   NOT NULL,
    parent       TEXT   NOT NULL, -- the workspace
    person       TEXT   NOT NULL,
    email        TEXT   NOT NULL,
    language     TEXT   NOT NULL,
    mail_opt_out BIGINT NOT NULL,
    erased       BIGINT NOT NULL,
    update_time  BIGINT NOT NULL,
    PRIMARY KEY (name)
) WITHOUT ROWID;
