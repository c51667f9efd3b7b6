-- +goose Up
-- How far each consumer has followed each log. What it writes and where it is change together; whoever finds
-- another token than the one it read was not alone, and does nothing.
CREATE TABLE event_positions (
    consumer TEXT COLLATE "C" NOT NULL,
    source   TEXT COLLATE "C" NOT NULL, -- own, or a workspace of the deployment service
    token    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (consumer, source)
);
