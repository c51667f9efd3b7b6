-- +goose Up
CREATE TABLE shelves (
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
    PRIMARY KEY (name)
);

CREATE TABLE books (
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
    terminal INTEGER NOT NULL,
    title TEXT NOT NULL,
    isbn TEXT,
    pages BIGINT NOT NULL,
    reference_only INTEGER NOT NULL,
    publish_time BIGINT NOT NULL,
    state BIGINT NOT NULL,
    author_display_name TEXT NOT NULL,
    edition_count BIGINT NOT NULL,
    PRIMARY KEY (name)
);
CREATE UNIQUE INDEX books_parent_isbn ON books (parent, isbn) WHERE isbn <> '';
