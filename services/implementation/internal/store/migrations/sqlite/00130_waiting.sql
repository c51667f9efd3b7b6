-- +goose Up
-- From when on a thing waits; 0 where it does not, NULL until a new process has looked at it.
ALTER TABLE implementations ADD COLUMN waiting_since BIGINT;
ALTER TABLE stages ADD COLUMN waiting_since BIGINT;
ALTER TABLE tasks ADD COLUMN waiting_since BIGINT;
ALTER TABLE cohort_plans ADD COLUMN waiting_since BIGINT;
ALTER TABLE cohort_plans ADD COLUMN owner TEXT;
ALTER TABLE challenges ADD COLUMN waiting_since BIGINT;
ALTER TABLE outcomes ADD COLUMN waiting_since BIGINT;
ALTER TABLE decisions ADD COLUMN waiting_since BIGINT;
