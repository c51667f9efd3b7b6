-- +goose Up
-- What the deployment service last said of what technical criteria name.
CREATE TABLE technical_verdicts (
    resource   TEXT COLLATE "C" NOT NULL,
    asked_time BIGINT NOT NULL, -- when it was asked, by the clock of this service
    message    BYTEA NOT NULL,
    PRIMARY KEY (resource)
);

-- The resources that technical criteria name, so that they can be asked about.
CREATE TABLE cohort_plan_technical (
    plan     TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (plan, resource)
);
CREATE INDEX cohort_plan_technical_resource ON cohort_plan_technical (resource, plan);
