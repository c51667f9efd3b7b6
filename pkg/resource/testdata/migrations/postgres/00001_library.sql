-- +goose Up
CREATE TABLE shelves (
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
    PRIMARY KEY (name)
);

CREATE TABLE books (
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
    title TEXT COLLATE "C" NOT NULL,
    isbn TEXT COLLATE "C",
    pages BIGINT NOT NULL,
    reference_only SMALLINT NOT NULL,
    publish_time BIGINT NOT NULL,
    state BIGINT NOT NULL,
    author_display_name TEXT COLLATE "C" NOT NULL,
    edition_count BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE UNIQUE INDEX books_parent_isbn ON books (parent, isbn) WHERE isbn <> '';
