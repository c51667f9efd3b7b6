-- +goose Up
-- Counts that were pushed. What comes again replaces what was there.
CREATE TABLE samples (
    environment TEXT COLLATE "C" NOT NULL,
    release TEXT COLLATE "C" NOT NULL,
    counter TEXT COLLATE "C" NOT NULL,
    start_time BIGINT NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    end_time BIGINT NOT NULL,
    total BIGINT NOT NULL,
    bad BIGINT NOT NULL,
    receive_time BIGINT NOT NULL,
    PRIMARY KEY (environment, release, counter, start_time, source)
);
CREATE INDEX samples_end_time ON samples (environment, counter, end_time);
CREATE INDEX samples_receive_time ON samples (receive_time);
