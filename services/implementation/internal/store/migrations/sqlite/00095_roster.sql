-- +goose Up
-- Who is a member at a moment, and as what, without a look at the table.
DROP INDEX memberships_person;
CREATE INDEX memberships_person ON memberships (parent, person, start_date, end_date, role);
