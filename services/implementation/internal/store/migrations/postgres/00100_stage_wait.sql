-- +goose Up
-- What the deployment service last said of a resource, by the window over which it counted shares. It takes the place of
-- technical_verdicts, which code from before still reads and writes.
CREATE TABLE technical_answers (
    resource   TEXT COLLATE "C" NOT NULL,
    window_us  BIGINT NOT NULL,
    asked_time BIGINT NOT NULL, -- when it was asked, by the clock of this service
    message    BYTEA NOT NULL,
    PRIMARY KEY (resource, window_us)
);
INSERT INTO technical_answers (resource, window_us, asked_time, message) SELECT resource, 3600000000, asked_time, message FROM technical_verdicts;

-- What each stage waits for of the rollout, as its message says, and what the answers of the past leave of it.
CREATE TABLE stage_conditions (
    stage       TEXT COLLATE "C" NOT NULL,
    condition   TEXT COLLATE "C" NOT NULL,
    resource    TEXT COLLATE "C" NOT NULL,
    window_us   BIGINT NOT NULL,
    state       BIGINT NOT NULL, -- what followed from the last answer; 0 where there was none
    since       BIGINT NOT NULL, -- since when that was so
    held_since  BIGINT NOT NULL, -- since when all of it has held without a break; 0 while it does not
    asked_time  BIGINT NOT NULL, -- when the last answer was asked for
    fresh_until BIGINT NOT NULL, -- until when that is good
    PRIMARY KEY (stage, condition)
);
CREATE INDEX stage_conditions_resource ON stage_conditions (resource, window_us);
