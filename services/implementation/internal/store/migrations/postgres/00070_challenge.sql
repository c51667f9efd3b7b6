-- +goose Up
-- What stands in the way, suggested or raised.
CREATE TABLE challenges (
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
    display_name TEXT COLLATE "C" NOT NULL,
    class BIGINT NOT NULL,
    nature BIGINT NOT NULL,
    severity BIGINT NOT NULL,
    critical SMALLINT NOT NULL,
    state BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    rule TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    cohort TEXT COLLATE "C" NOT NULL,
    review_date TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX challenges_parent ON challenges (parent, state);
CREATE INDEX challenges_rule ON challenges (parent, rule, subject);
CREATE INDEX challenges_cohort ON challenges (cohort, parent);

-- What detectors found.
CREATE TABLE signals (
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
    rule TEXT COLLATE "C" NOT NULL,
    class BIGINT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    cohort TEXT COLLATE "C" NOT NULL,
    period TEXT COLLATE "C" NOT NULL,
    phase BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX signals_parent ON signals (parent, period);

-- What differs from the defaults of the rules.
CREATE TABLE detector_policies (
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
    implementation TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
CREATE UNIQUE INDEX detector_policies_implementation ON detector_policies (parent, implementation);

-- Where each rule stands with each subject after the last period in which it could say something.
CREATE TABLE detector_states (
    implementation TEXT COLLATE "C" NOT NULL,
    rule           TEXT COLLATE "C" NOT NULL,
    subject        TEXT COLLATE "C" NOT NULL,
    aspect         TEXT COLLATE "C" NOT NULL, -- what of the subject; empty where there is one thing
    period         TEXT COLLATE "C" NOT NULL, -- the last one decided
    end_time       BIGINT NOT NULL, -- of the period
    holding        BIGINT NOT NULL, -- periods running in which it held
    clear          BIGINT NOT NULL, -- periods running in which it did not
    active         BIGINT NOT NULL, -- 1 from the period it entered until the one in which it leaves
    PRIMARY KEY (implementation, rule, subject, aspect)
);

-- When the detectors of an implementation run next. Whoever moves due_time runs them.
CREATE TABLE detector_runs (
    implementation TEXT COLLATE "C" NOT NULL,
    due_time       BIGINT NOT NULL,
    PRIMARY KEY (implementation)
);

-- Every date that a cohort plan has had, so that a date that moves again and again is seen.
CREATE TABLE cohort_plan_dates (
    plan         TEXT COLLATE "C" NOT NULL,
    change_time  BIGINT NOT NULL,
    go_live_time BIGINT NOT NULL, -- 0: none
    PRIMARY KEY (plan, change_time)
);

-- Tickets of a cohort in a week of ISO 8601.
CREATE TABLE ticket_counts (
    implementation TEXT COLLATE "C" NOT NULL,
    cohort         TEXT COLLATE "C" NOT NULL,
    week           TEXT COLLATE "C" NOT NULL,
    tickets        BIGINT NOT NULL,
    active_users   BIGINT NOT NULL, -- 0: the members of the cohort
    PRIMARY KEY (implementation, cohort, week)
);
