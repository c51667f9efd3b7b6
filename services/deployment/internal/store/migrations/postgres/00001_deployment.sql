-- +goose Up
CREATE TABLE applications (
    name TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C" NOT NULL,
    uid TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT COLLATE "C" NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    before_digest BYTEA,
    message BYTEA NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX applications_parent ON applications (parent, name);

CREATE TABLE releases (
    name TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C" NOT NULL,
    uid TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT COLLATE "C" NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    before_digest BYTEA,
    message BYTEA NOT NULL,
    terminal SMALLINT NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    state BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX releases_parent ON releases (parent, name);

CREATE TABLE environments (
    name TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C" NOT NULL,
    uid TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT COLLATE "C" NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    before_digest BYTEA,
    message BYTEA NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    ordinal BIGINT NOT NULL,
    promoted_from TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX environments_parent ON environments (parent, name);

CREATE TABLE targets (
    name TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C" NOT NULL,
    uid TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT COLLATE "C" NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    before_digest BYTEA,
    message BYTEA NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    kind BIGINT NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    maintenance SMALLINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX targets_parent ON targets (parent, name);

CREATE TABLE deployment_plans (
    name TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C" NOT NULL,
    uid TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT COLLATE "C" NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    before_digest BYTEA,
    message BYTEA NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX deployment_plans_parent ON deployment_plans (parent, name);

CREATE TABLE deployments (
    name TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C" NOT NULL,
    uid TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT COLLATE "C" NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    before_digest BYTEA,
    message BYTEA NOT NULL,
    terminal SMALLINT NOT NULL,
    state BIGINT NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    release TEXT COLLATE "C" NOT NULL,
    creator TEXT COLLATE "C" NOT NULL,
    end_time BIGINT NOT NULL,
    rollback_of TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX deployments_parent ON deployments (parent, name);

CREATE TABLE waves (
    name TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C" NOT NULL,
    uid TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT COLLATE "C" NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    before_digest BYTEA,
    message BYTEA NOT NULL,
    terminal SMALLINT NOT NULL,
    state BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX waves_parent ON waves (parent, name);
CREATE INDEX waves_active ON waves (state) WHERE terminal = 0;
CREATE INDEX deployments_active ON deployments (environment) WHERE terminal = 0;
CREATE INDEX deployments_rollback ON deployments (rollback_of) WHERE rollback_of <> '';

-- One row for each target of a deployment. parent is the deployment.
CREATE TABLE installations (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    parent TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    wave TEXT COLLATE "C" NOT NULL,
    application TEXT COLLATE "C" NOT NULL,
    from_release TEXT COLLATE "C" NOT NULL,
    to_release TEXT COLLATE "C" NOT NULL,
    state BIGINT NOT NULL,
    health BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    cause TEXT COLLATE "C" NOT NULL,
    message TEXT NOT NULL,
    prestaged SMALLINT NOT NULL,
    restarts BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    action BIGINT NOT NULL,
    active SMALLINT NOT NULL,
    overlay BYTEA,
    from_overlay BYTEA,
    config_digest TEXT COLLATE "C" NOT NULL,
    from_config_digest TEXT COLLATE "C" NOT NULL
);
-- At most one active deployment of an application holds a target.
CREATE UNIQUE INDEX installations_active ON installations (application, target) WHERE active = 1;
CREATE INDEX installations_counts ON installations (parent, wave, state, health, prestaged);
CREATE INDEX installations_queue ON installations (wave, state, name);
CREATE INDEX installations_epoch ON installations (target, application, epoch);
CREATE INDEX installations_pending ON installations (target) WHERE action <> 0;

-- What every try did, step by step; appended, never changed.
CREATE TABLE installation_steps (
    installation TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    state BIGINT NOT NULL,
    step TEXT NOT NULL,
    start_time BIGINT NOT NULL,
    end_time BIGINT NOT NULL,
    succeeded SMALLINT NOT NULL,
    exit_code BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (installation, attempt, sequence, ordinal)
);

-- What runs of an application on a target now.
CREATE TABLE slots (
    target TEXT COLLATE "C" NOT NULL,
    application TEXT COLLATE "C" NOT NULL,
    release TEXT COLLATE "C" NOT NULL,
    sha256 TEXT NOT NULL,
    config_digest TEXT COLLATE "C" NOT NULL,
    installation TEXT COLLATE "C" NOT NULL,
    overlay BYTEA,
    health BIGINT NOT NULL,
    since BIGINT NOT NULL,
    settled SMALLINT NOT NULL,
    PRIMARY KEY (target, application)
);
CREATE INDEX slots_installation ON slots (installation);
CREATE INDEX slots_application ON slots (application, target);

-- The word of one person on one wave.
CREATE TABLE approvals (
    wave TEXT COLLATE "C" NOT NULL,
    principal TEXT COLLATE "C" NOT NULL,
    approved SMALLINT NOT NULL,
    reason TEXT NOT NULL,
    time BIGINT NOT NULL,
    PRIMARY KEY (wave, principal)
);
