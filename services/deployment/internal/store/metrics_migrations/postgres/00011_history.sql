-- +goose Up
-- How many successful probes took no longer than so many milliseconds.
ALTER TABLE probe_summaries ADD COLUMN within_1 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE probe_summaries ADD COLUMN within_2 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE probe_summaries ADD COLUMN within_5 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE probe_summaries ADD COLUMN within_10 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE probe_summaries ADD COLUMN within_20 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE probe_summaries ADD COLUMN within_50 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE probe_summaries ADD COLUMN within_100 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE probe_summaries ADD COLUMN within_200 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE probe_summaries ADD COLUMN within_500 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE probe_summaries ADD COLUMN within_1000 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE probe_summaries ADD COLUMN within_2000 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE probe_summaries ADD COLUMN within_5000 BIGINT NOT NULL DEFAULT 0;

-- Summaries added up over a minute, an hour, a day; resolution and times are microseconds. Always computed
-- anew from what is finer, so that doing it twice does no harm.
CREATE TABLE probe_buckets (
    resolution BIGINT NOT NULL,
    installation TEXT COLLATE "C" NOT NULL,
    start_time BIGINT NOT NULL,
    observed BIGINT NOT NULL,
    good BIGINT NOT NULL,
    succeeded BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    latency_sum_us BIGINT NOT NULL,
    latency_max_us BIGINT NOT NULL,
    within_1 BIGINT NOT NULL,
    within_2 BIGINT NOT NULL,
    within_5 BIGINT NOT NULL,
    within_10 BIGINT NOT NULL,
    within_20 BIGINT NOT NULL,
    within_50 BIGINT NOT NULL,
    within_100 BIGINT NOT NULL,
    within_200 BIGINT NOT NULL,
    within_500 BIGINT NOT NULL,
    within_1000 BIGINT NOT NULL,
    within_2000 BIGINT NOT NULL,
    within_5000 BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    PRIMARY KEY (resolution, installation, start_time)
);
CREATE INDEX probe_buckets_update_time ON probe_buckets (resolution, update_time);
CREATE INDEX probe_buckets_start_time ON probe_buckets (resolution, start_time);

-- Up to which time of arrival each resolution was computed. Its row is the lock of who computes.
CREATE TABLE probe_rollups (
    resolution BIGINT NOT NULL PRIMARY KEY,
    done_until BIGINT NOT NULL
);
INSERT INTO probe_rollups (resolution, done_until) VALUES (60000000, 0), (3600000000, 0), (86400000000, 0);
