-- +goose Up
-- Output of installations. A row is what arrived together; last_line counts all lines of the try up to its end.
CREATE TABLE log_lines (
    installation TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    last_line BIGINT NOT NULL,
    lines BYTEA NOT NULL, -- a ReadLogsResponse
    receive_time BIGINT NOT NULL,
    PRIMARY KEY (installation, attempt, last_line)
);
CREATE INDEX log_lines_receive_time ON log_lines (receive_time);

-- What the probes of an installation saw in one interval of its host's clock.
CREATE TABLE probe_summaries (
    installation TEXT COLLATE "C" NOT NULL,
    start_time BIGINT NOT NULL,
    end_time BIGINT NOT NULL,
    succeeded BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    latency_sum_us BIGINT NOT NULL,
    latency_max_us BIGINT NOT NULL,
    receive_time BIGINT NOT NULL,
    PRIMARY KEY (installation, start_time)
);
CREATE INDEX probe_summaries_receive_time ON probe_summaries (receive_time);

-- When an agent was heard last; up to a few seconds late.
CREATE TABLE heartbeats (
    agent TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    last_seen BIGINT NOT NULL
);
