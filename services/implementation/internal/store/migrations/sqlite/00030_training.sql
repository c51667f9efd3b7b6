-- +goose Up
CREATE TABLE sessions (
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
    state BIGINT NOT NULL,
    start_time BIGINT NOT NULL,
    end_time BIGINT NOT NULL,
    seats BIGINT NOT NULL,
    trainer TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE INDEX sessions_parent ON sessions (parent, start_time);

-- The seat of a person, until when the training is due, and what became of assessment and invitation.
ALTER TABLE enrolments ADD COLUMN session TEXT NOT NULL DEFAULT '';
ALTER TABLE enrolments ADD COLUMN due_time BIGINT NOT NULL DEFAULT 0;
ALTER TABLE enrolments ADD COLUMN passed BIGINT; -- 1 or 0 by the pass mark of that time; NULL without a score
ALTER TABLE enrolments ADD COLUMN decline_reason BIGINT NOT NULL DEFAULT 0;
ALTER TABLE enrolments ADD COLUMN decline_time BIGINT NOT NULL DEFAULT 0;
UPDATE enrolments SET passed = CASE WHEN score >= 0.8 THEN 1 ELSE 0 END WHERE score IS NOT NULL;
CREATE INDEX enrolments_session ON enrolments (session) WHERE session <> '';

ALTER TABLE memberships ADD COLUMN role BIGINT NOT NULL DEFAULT 0;

-- Who has, or had, an account in an application. Times are unix microseconds; revoke_time is 0 while it is there.
CREATE TABLE provisionings (
    application    TEXT NOT NULL,
    person         TEXT NOT NULL,
    provision_time BIGINT NOT NULL,
    revoke_time    BIGINT NOT NULL,
    PRIMARY KEY (application, person)
) WITHOUT ROWID;
CREATE INDEX provisionings_person ON provisionings (person);
