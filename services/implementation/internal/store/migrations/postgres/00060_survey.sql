-- +goose Up
-- What people are asked, and what may be told of it.
CREATE TABLE surveys (
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

CREATE TABLE survey_waves (
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
    attribute TEXT COLLATE "C" NOT NULL,
    state BIGINT NOT NULL,
    open_time BIGINT NOT NULL,
    close_time BIGINT NOT NULL,
    opened_time BIGINT NOT NULL,
    closed_time BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX survey_waves_parent ON survey_waves (parent, opened_time);
CREATE INDEX survey_waves_state ON survey_waves (state);

-- Who was asked, frozen at OPEN: people as ordinals in a roaring bitmap.
CREATE TABLE survey_strata (
    wave   TEXT COLLATE "C" NOT NULL,
    cohort TEXT COLLATE "C" NOT NULL,
    value  TEXT COLLATE "C" NOT NULL,
    cell   BIGINT NOT NULL,
    people BYTEA   NOT NULL,
    PRIMARY KEY (wave, cohort, value)
);
-- Who asked a cohort last.
CREATE INDEX survey_strata_cohort ON survey_strata (cohort, wave);

-- Who may answer, and whether they did. Of a link only the digest is kept. No time: it would tell who answered when.
CREATE TABLE survey_invitations (
    wave   TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    cell   BIGINT NOT NULL,
    token  BYTEA, -- SHA-256; NULL until a link is made
    used   BIGINT NOT NULL,
    PRIMARY KEY (wave, person)
);
CREATE UNIQUE INDEX survey_invitations_token ON survey_invitations (token);
CREATE INDEX survey_invitations_person ON survey_invitations (person);

-- What was answered, until it is moved to the tables below together with others. The one transaction that
-- uses a link writes here; the one that writes below does not know the link.
CREATE TABLE survey_inbox (
    id     BYTEA   NOT NULL, -- random
    wave   TEXT COLLATE "C" NOT NULL,
    cell   BIGINT NOT NULL,
    person TEXT COLLATE "C" NOT NULL, -- empty in anonymous surveys
    body   BYTEA   NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX survey_inbox_wave ON survey_inbox (wave);

-- Single answers. Ids are random and made when the rows are; there is no time, and no order but that of the ids.
CREATE TABLE survey_responses (
    wave   TEXT COLLATE "C" NOT NULL,
    id     BYTEA   NOT NULL,
    cell   BIGINT NOT NULL,
    person TEXT COLLATE "C" NOT NULL, -- empty in anonymous surveys
    PRIMARY KEY (wave, id)
);
CREATE TABLE survey_answers (
    wave     TEXT COLLATE "C" NOT NULL,
    response BYTEA   NOT NULL,
    question TEXT COLLATE "C" NOT NULL,
    item     BIGINT NOT NULL,
    value    BIGINT NOT NULL,
    PRIMARY KEY (wave, response, question, item)
);
-- Comments have ids of their own: nothing leads from a comment to the other answers of who wrote it.
CREATE TABLE survey_comments (
    wave     TEXT COLLATE "C" NOT NULL,
    id       BYTEA NOT NULL,
    question TEXT COLLATE "C" NOT NULL,
    body     TEXT COLLATE "C" NOT NULL,
    person   TEXT COLLATE "C" NOT NULL, -- empty in anonymous surveys
    PRIMARY KEY (wave, id)
);

-- What may be told of a published wave, once and for all.
CREATE TABLE survey_results (
    wave        TEXT COLLATE "C" NOT NULL,
    workspace   TEXT COLLATE "C" NOT NULL,
    survey      TEXT COLLATE "C" NOT NULL,
    closed_time BIGINT NOT NULL,
    pulse       BIGINT NOT NULL, -- 1 with an ADKAR question
    message     BYTEA   NOT NULL,
    PRIMARY KEY (wave)
);
CREATE INDEX survey_results_workspace ON survey_results (workspace, closed_time);
CREATE INDEX survey_results_survey ON survey_results (survey, closed_time);

-- Of whom numbers were told: no later number may differ from them by a few people.
CREATE TABLE survey_told (
    workspace TEXT COLLATE "C" NOT NULL,
    wave   TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    people BYTEA NOT NULL,
    PRIMARY KEY (workspace, digest)
);
-- Counts the publications of a workspace, so that two at once do not miss each other.
CREATE TABLE survey_publications (
    workspace TEXT COLLATE "C" NOT NULL,
    revision  BIGINT NOT NULL,
    PRIMARY KEY (workspace)
);
