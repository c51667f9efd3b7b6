-- +goose Up
-- What people are asked, and what may be told of it.
CREATE TABLE surveys (
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

CREATE TABLE survey_waves (
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
    attribute TEXT NOT NULL,
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
    wave   TEXT   NOT NULL,
    cohort TEXT   NOT NULL,
    value  TEXT   NOT NULL,
    cell   BIGINT NOT NULL,
    people BLOB   NOT NULL,
    PRIMARY KEY (wave, cohort, value)
) WITHOUT ROWID;
-- Who asked a cohort last.
CREATE INDEX survey_strata_cohort ON survey_strata (cohort, wave);

-- Who may answer, and whether they did. Of a link only the digest is kept. No time: it would tell who answered when.
CREATE TABLE survey_invitations (
    wave   TEXT   NOT NULL,
    person TEXT   NOT NULL,
    cell   BIGINT NOT NULL,
    token  BLOB, -- SHA-256; NULL until a link is made
    used   BIGINT NOT NULL,
    PRIMARY KEY (wave, person)
) WITHOUT ROWID;
CREATE UNIQUE INDEX survey_invitations_token ON survey_invitations (token);
CREATE INDEX survey_invitations_person ON survey_invitations (person);

-- What was answered, until it is moved to the tables below together with others. The one transaction that
-- uses a link writes here; the one that writes below does not know the link.
CREATE TABLE survey_inbox (
    id     BLOB   NOT NULL, -- random
    wave   TEXT   NOT NULL,
    cell   BIGINT NOT NULL,
    person TEXT   NOT NULL, -- empty in anonymous surveys
    body   BLOB   NOT NULL,
    PRIMARY KEY (id)
) WITHOUT ROWID;
CREATE INDEX survey_inbox_wave ON survey_inbox (wave);

-- Single answers. Ids are random and made when the rows are; there is no time, and no order but that of the ids.
CREATE TABLE survey_responses (
    wave   TEXT   NOT NULL,
    id     BLOB   NOT NULL,
    cell   BIGINT NOT NULL,
    person TEXT   NOT NULL, -- empty in anonymous surveys
    PRIMARY KEY (wave, id)
) WITHOUT ROWID;
CREATE TABLE survey_answers (
    wave     TEXT   NOT NULL,
    response BLOB   NOT NULL,
    question TEXT   NOT NULL,
    item     BIGINT NOT NULL,
    value    BIGINT NOT NULL,
    PRIMARY KEY (wave, response, question, item)
) WITHOUT ROWID;
-- Comments have ids of their own: nothing leads from a comment to the other answers of who wrote it.
CREATE TABLE survey_comments (
    wave     TEXT NOT NULL,
    id       BLOB NOT NULL,
    question TEXT NOT NULL,
    body     TEXT NOT NULL,
    person   TEXT NOT NULL, -- empty in anonymous surveys
    PRIMARY KEY (wave, id)
) WITHOUT ROWID;

-- What may be told of a published wave, once and for all.
CREATE TABLE survey_results (
    wave        TEXT   NOT NULL,
    workspace   TEXT   NOT NULL,
    survey      TEXT   NOT NULL,
    closed_time BIGINT NOT NULL,
    pulse       BIGINT NOT NULL, -- 1 with an ADKAR question
    message     BLOB   NOT NULL,
    PRIMARY KEY (wave)
);
CREATE INDEX survey_results_workspace ON survey_results (workspace, closed_time);
CREATE INDEX survey_results_survey ON survey_results (survey, closed_time);

-- Of whom numbers were told: no later number may differ from them by a few people.
CREATE TABLE survey_told (
    workspace TEXT NOT NULL,
    wave   TEXT NOT NULL,
    digest BLOB NOT NULL,
    people BLOB NOT NULL,
    PRIMARY KEY (workspace, digest)
);
-- Counts the publications of a workspace, so that two at once do not miss each other.
CREATE TABLE survey_publications (
    workspace TEXT   NOT NULL,
    revision  BIGINT NOT NULL,
    PRIMARY KEY (workspace)
);
