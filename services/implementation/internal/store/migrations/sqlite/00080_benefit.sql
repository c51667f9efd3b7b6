-- +goose Up
-- What an implementation is planned to cost and to bring, what it did, and what it is for.
CREATE TABLE budget_lines (
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
    direction BIGINT NOT NULL,
    category TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX budget_lines_parent ON budget_lines (parent);

CREATE TABLE ledger_entries (
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
    direction BIGINT NOT NULL,
    state BIGINT NOT NULL,
    date TEXT NOT NULL,
    budget_line TEXT NOT NULL,
    claimed_by TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reverses TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX ledger_entries_parent ON ledger_entries (parent, date);
CREATE INDEX ledger_entries_budget_line ON ledger_entries (budget_line);
-- An entry is reversed at most once, whatever runs at the same time.
CREATE UNIQUE INDEX ledger_entries_reverses ON ledger_entries (reverses) WHERE reverses <> '';

CREATE TABLE outcomes (
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
    verdict BIGINT NOT NULL,
    due_time BIGINT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX outcomes_parent ON outcomes (parent);
