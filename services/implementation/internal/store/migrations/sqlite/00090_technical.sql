-- +goose Up
-- What the deployment service last said of what technical criteria name.
CREATE TABLE technical_verdicts (
    resource   TEXT NOT NULL,
    asked_time BIGINT NOT NULL, -- when it was asked, by the clock of this service
    message    BLOB NOT NULL,
    PRIMARY KEY (resource)
);

-- The resources that technical criteria name, so that they can be asked about.
CREATE TABLE cohort_plan_technical (
    plan     TEXT NOT NULL,
    resource TEXT NOT NULL,
    PRIMARY KEY (plan, resource)
);
CREATE INDEX cohort_plan_technical_resource ON cohort_plan_technical (resource, plan);
