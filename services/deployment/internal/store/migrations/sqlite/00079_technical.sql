-- +goose Up
-- When something last moved in an environment: the revision of its verdict.
CREATE INDEX deployments_environment ON deployments (environment, update_time);
