-- +goose Up
-- The program that an agent should run; generation rises whenever it is told anew.
CREATE TABLE agent_programs (
    agent TEXT NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL,
    request BLOB NOT NULL -- the UpgradeAgentRequest
) WITHOUT ROWID;

-- The newest epoch that an agent has accepted, where the installations do not know it: after an older
-- database was put back. Whatever is commanded next has a higher one.
CREATE TABLE epoch_floors (
    target TEXT NOT NULL,
    application TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    PRIMARY KEY (target, application)
) WITHOUT ROWID;
