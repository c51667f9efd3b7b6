-- +goose Up
ALTER TABLE implementations ADD COLUMN state BIGINT NOT NULL DEFAULT 0;
ALTER TABLE implementations ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cohort_plans ADD COLUMN live_time BIGINT NOT NULL DEFAULT 0;
CREATE INDEX implementations_parent ON implementations (parent);

CREATE TABLE resources (
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
    principal TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX resources_parent ON resources (parent);
CREATE INDEX resources_principal ON resources (principal);

CREATE TABLE stages (
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
    position BIGINT NOT NULL,
    state BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX stages_parent ON stages (parent);

CREATE TABLE tasks (
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
    stage TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    state BIGINT NOT NULL,
    milestone SMALLINT NOT NULL,
    priority BIGINT NOT NULL,
    deadline BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX tasks_parent ON tasks (parent);
CREATE INDEX tasks_stage ON tasks (stage);
CREATE INDEX tasks_owner ON tasks (owner);

-- What each task depends on, as its message says: so that a circle is found, and who needs a task.
CREATE TABLE task_links (
    task        TEXT COLLATE "C" NOT NULL,
    predecessor TEXT COLLATE "C" NOT NULL,
    type        BIGINT NOT NULL,
    PRIMARY KEY (task, predecessor, type)
);
CREATE INDEX task_links_predecessor ON task_links (predecessor, task);

-- Who works on each task, as its message says. Units are 1 where it says 0.
CREATE TABLE task_assignments (
    task     TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    units    DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (task, resource)
);
CREATE INDEX task_assignments_resource ON task_assignments (resource, task);

CREATE TABLE baselines (
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
    author TEXT COLLATE "C" NOT NULL,
    end_time BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX baselines_parent ON baselines (parent);

-- The tasks and stages of a baseline, apart from it so that lists and events stay small: a Baseline with nothing else.
CREATE TABLE baseline_plans (
    name TEXT COLLATE "C" NOT NULL,
    plan BYTEA NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE comments (
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
    subject TEXT COLLATE "C" NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX comments_parent ON comments (parent);
CREATE INDEX comments_subject ON comments (subject, create_time);
