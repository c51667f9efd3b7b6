-- +goose Up
-- seq orders by arrival, so that no reader depends on anybody's clock.
CREATE TABLE revoked_tokens (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    token_id    TEXT    NOT NULL UNIQUE,
    revoked_by  TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    revoke_time BIGINT  NOT NULL,
    expire_time BIGINT  NOT NULL
);

-- +goose Down
DROP TABLE revoked_tokens;
