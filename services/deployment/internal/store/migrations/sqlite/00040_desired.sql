-- +goose Up
-- What should run of an application on a target: what the last deployment that was sealed there brought, or
-- would have brought had the target not been away (straggler).
CREATE TABLE desired_releases (
    target TEXT NOT NULL,
    application TEXT NOT NULL,
    release TEXT NOT NULL,
    config_digest TEXT NOT NULL,
    overlay BLOB,
    deployment TEXT NOT NULL,
    since BIGINT NOT NULL,
    straggler INTEGER NOT NULL,
    PRIMARY KEY (target, application)
);
CREATE INDEX desired_releases_release ON desired_releases (release);
CREATE INDEX desired_releases_deployment ON desired_releases (deployment);

-- What an agent found changed on its host since the slot was filled; empty where nothing was.
ALTER TABLE slots ADD COLUMN drift TEXT NOT NULL DEFAULT '';
ALTER TABLE slots ADD COLUMN drift_message TEXT NOT NULL DEFAULT '';
ALTER TABLE slots ADD COLUMN drift_since BIGINT NOT NULL DEFAULT 0;
CREATE INDEX slots_release ON slots (release);

-- Deployments of before have neither: the defaults are what their messages say.
ALTER TABLE deployments ADD COLUMN kind BIGINT NOT NULL DEFAULT 0;
ALTER TABLE deployments ADD COLUMN catch_up_of TEXT NOT NULL DEFAULT '';
CREATE INDEX deployments_release ON deployments (release, environment, create_time);
CREATE INDEX deployments_newest ON deployments (parent, create_time, name);

-- The digest of the plan as it was copied, which is never marshalled again.
ALTER TABLE deployments ADD COLUMN plan_digest TEXT NOT NULL DEFAULT '';
