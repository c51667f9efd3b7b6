-- +goose Up
CREATE TABLE applications (
    name TEXT NOT NULL,
    parent TEXT NOT NULL,
    uid TEXT NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BLOB NOT NULL,
    before_digest BLOB,
    message BLOB NOT NULL,
    display_name TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX applications_parent ON applications (parent, name);

CREATE TABLE releases (
    name TEXT NOT NULL,
    parent TEXT NOT NULL,
    uid TEXT NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BLOB NOT NULL,
    before_digest BLOB,
    message BLOB NOT NULL,
    terminal INTEGER NOT NULL,
    version TEXT NOT NULL,
    state BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX releases_parent ON releases (parent, name);

CREATE TABLE environments (
    name TEXT NOT NULL,
    parent TEXT NOT NULL,
    uid TEXT NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BLOB NOT NULL,
    before_digest BLOB,
    message BLOB NOT NULL,
    display_name TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    promoted_from TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX environments_parent ON environments (parent, name);

CREATE TABLE targets (
    name TEXT NOT NULL,
    parent TEXT NOT NULL,
    uid TEXT NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BLOB NOT NULL,
    before_digest BLOB,
    message BLOB NOT NULL,
    display_name TEXT NOT NULL,
    kind BIGINT NOT NULL,
    agent TEXT NOT NULL,
    maintenance INTEGER NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX targets_parent ON targets (parent, name);

CREATE TABLE deployment_plans (
    name TEXT NOT NULL,
    parent TEXT NOT NULL,
    uid TEXT NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BLOB NOT NULL,
    before_digest BLOB,
    message BLOB NOT NULL,
    display_name TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX deployment_plans_parent ON deployment_plans (parent, name);

CREATE TABLE deployments (
    name TEXT NOT NULL,
    parent TEXT NOT NULL,
    uid TEXT NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BLOB NOT NULL,
    before_digest BLOB,
    message BLOB NOT NULL,
    terminal INTEGER NOT NULL,
    state BIGINT NOT NULL,
    environment TEXT NOT NULL,
    release TEXT NOT NULL,
    creator TEXT NOT NULL,
    end_time BIGINT NOT NULL,
    rollback_of TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX deployments_parent ON deployments (parent, name);

CREATE TABLE waves (
    name TEXT NOT NULL,
    parent TEXT NOT NULL,
    uid TEXT NOT NULL,
    revision BIGINT NOT NULL,
    etag TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest BLOB NOT NULL,
    before_digest BLOB,
    message BLOB NOT NULL,
    terminal INTEGER NOT NULL,
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
    name TEXT NOT NULL PRIMARY KEY,
    parent TEXT NOT NULL,
    target TEXT NOT NULL,
    wave TEXT NOT NULL,
    application TEXT NOT NULL,
    from_release TEXT NOT NULL,
    to_release TEXT NOT NULL,
    state BIGINT NOT NULL,
    health BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    cause TEXT NOT NULL,
    message TEXT NOT NULL,
    prestaged INTEGER NOT NULL,
    restarts BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    action BIGINT NOT NULL,
    active INTEGER NOT NULL,
    overlay BLOB,
    from_overlay BLOB,
    config_digest TEXT NOT NULL,
    from_config_digest TEXT NOT NULL
);
-- At most one active deployment of an application holds a target.
CREATE UNIQUE INDEX installations_active ON installations (application, target) WHERE active = 1;
CREATE INDEX installations_counts ON installations (parent, wave, state, health, prestaged);
CREATE INDEX installations_queue ON installations (wave, state, name);
CREATE INDEX installations_epoch ON installations (target, application, epoch);
CREATE INDEX installations_pending ON installations (target) WHERE action <> 0;

-- What every try did, step by step; appended, never changed.
CREATE TABLE installation_steps (
    installation TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    state BIGINT NOT NULL,
    step TEXT NOT NULL,
    start_time BIGINT NOT NULL,
    end_time BIGINT NOT NULL,
    succeeded INTEGER NOT NULL,
    exit_code BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (installation, attempt, sequence, ordinal)
);

-- What runs of an application on a target now.
CREATE TABLE slots (
    target TEXT NOT NULL,
    application TEXT NOT NULL,
    release TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    config_digest TEXT NOT NULL,
    installation TEXT NOT NULL,
    overlay BLOB,
    health BIGINT NOT NULL,
    since BIGINT NOT NULL,
    settled INTEGER NOT NULL,
    PRIMARY KEY (target, application)
);
CREATE INDEX slots_installation ON slots (installation);
CREATE INDEX slots_application ON slots (application, target);

-- The word of one person on one wave.
CREATE TABLE approvals (
    wave TEXT NOT NULL,
    principal TEXT NOT NULL,
    approved INTEGER NOT NULL,
    reason TEXT NOT NULL,
    time BIGINT NOT NULL,
    PRIMARY KEY (wave, principal)
);
