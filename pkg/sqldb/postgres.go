package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

func openPostgres(ctx context.Context, cfg Config) (*DB, error) {
	config, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err) // pgx hides the password in it
	}
	config.MaxConns = 16
	if cfg.MaxOpen > 0 {
		config.MaxConns = int32(min(cfg.MaxOpen, 1<<16))
	}
	params := config.ConnConfig.RuntimeParams
	if cfg.Schema != "" {
		params["search_path"] = pgx.Identifier{cfg.Schema}.Sanitize()
	}
	if params["application_name"] == "" {
		params["application_name"] = "golive"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := ensureSchema(ctx, pool, cfg.Schema); err != nil {
		pool.Close()
		return nil, err
	}
	db := sql.OpenDB(pipelines{stdlib.GetPoolConnector(pool)})
	db.SetMaxIdleConns(0) // the pool keeps them
	return &DB{dialect: Postgres, schema: cfg.Schema, writer: db, reader: db, pool: pool, read: db}, nil
}

// ensureSchema looks before it creates, because a role that may use a schema
// need not be one that may create schemas.
func ensureSchema(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	if schema == "" {
		return pool.Ping(ctx)
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// CREATE SCHEMA IF NOT EXISTS fails when two replicas run it at once.
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", lockID(schema)); err != nil {
			return fmt.Errorf("lock schema %s: %w", schema, err)
		}
		var one int
		err := tx.QueryRow(ctx, "SELECT 1 FROM pg_namespace WHERE nspname = $1", schema).Scan(&one)
		if errors.Is(err, pgx.ErrNoRows) {
			_, err = tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize())
		}
		if err != nil {
			return fmt.Errorf("create schema %s: %w", schema, err)
		}
		return nil
	})
}
