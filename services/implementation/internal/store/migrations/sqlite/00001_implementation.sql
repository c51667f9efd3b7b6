-- +goose Up
CREATE TABLE implementations (
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
    target_date BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE cohorts (
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

CREATE TABLE people (
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
    ordinal BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE memberships (
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
    person TEXT NOT NULL,
    start_date BIGINT NOT NULL,
    end_date BIGINT NOT NULL,
    PRIMARY KEY (name)
);
-- Who is a member at a moment, without a look at the table.
CREATE INDEX memberships_person ON memberships (parent, person, start_date, end_date);
CREATE INDEX memberships_of_person ON memberships (person);

CREATE TABLE trainings (
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
    state BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE cohort_plans (
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
    cohort TEXT NOT NULL,
    go_live_time BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX cohort_plans_parent ON cohort_plans (parent);
CREATE INDEX cohort_plans_cohort ON cohort_plans (cohort, name);

-- The trainings that the criteria of a plan name, so that readiness is counted in one query.
CREATE TABLE cohort_plan_trainings (
    plan      TEXT NOT NULL,
    criterion TEXT NOT NULL,
    training  TEXT NOT NULL,
    PRIMARY KEY (plan, criterion, training)
) WITHOUT ROWID;
CREATE INDEX cohort_plan_trainings_training ON cohort_plan_trainings (training, plan);

-- The next ordinal of a person, by workspace.
CREATE TABLE person_ordinals (
    workspace TEXT NOT NULL,
    next      BIGINT NOT NULL,
    PRIMARY KEY (workspace)
);

-- One person's way through one training. Times are unix microseconds, 0 where they are not set.
-- State is never EXPIRED: that follows from expire_time when a row is read.
CREATE TABLE enrolments (
    name          TEXT NOT NULL,
    parent        TEXT NOT NULL, -- the training
    person        TEXT NOT NULL,
    state         BIGINT NOT NULL,
    assign_time   BIGINT NOT NULL,
    complete_time BIGINT NOT NULL,
    expire_time   BIGINT NOT NULL,
    score         DOUBLE, -- 0 to 1; NULL without an assessment
    waive_reason  TEXT   NOT NULL,
    update_time   BIGINT NOT NULL,
    revision      BIGINT NOT NULL,
    PRIMARY KEY (parent, person)
) WITHOUT ROWID;
CREATE UNIQUE INDEX enrolments_name ON enrolments (name);
CREATE INDEX enrolments_person ON enrolments (person, parent);

-- The last verdict on each cohort plan. It outlives the plan, so that a plan of
-- the same name goes on with the revisions.
CREATE TABLE verdicts (
    resource TEXT NOT NULL,
    revision BIGINT NOT NULL,
    message  BLOB NOT NULL,
    PRIMARY KEY (resource)
);
