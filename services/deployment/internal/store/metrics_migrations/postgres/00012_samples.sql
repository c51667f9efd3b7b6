-- +goose Up
-- Pushed counts added up over an hour and a day, in the bucket in which they begin; resolution and times are microseconds. They are
-- brought up to date together with those of probes, and stay when the counts themselves are forgotten.
CREATE TABLE sample_buckets (
    resolution BIGINT NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    release TEXT COLLATE "C" NOT NULL,
    counter TEXT COLLATE "C" NOT NULL,
    start_time BIGINT NOT NULL,
    total BIGINT NOT NULL,
    bad BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    PRIMARY KEY (resolution, environment, release, counter, start_time)
);
CREATE INDEX sample_buckets_update_time ON sample_buckets (resolution, update_time);
CREATE INDEX sample_buckets_start_time ON sample_buckets (resolution, start_time);
INSERT INTO sample_buckets (resolution, environment, release, counter, start_time, total, bad, update_time)
    SELECT 3600000000, environment, release, counter, start_time / 3600000000 * 3600000000, SUM(total), SUM(bad), 0 FROM samples GROUP BY 1, 2, 3, 4, 5;
INSERT INTO sample_buckets (resolution, environment, release, counter, start_time, total, bad, update_time)
    SELECT 86400000000, environment, release, counter, start_time / 86400000000 * 86400000000, SUM(total), SUM(bad), 0 FROM samples GROUP BY 1, 2, 3, 4, 5;
