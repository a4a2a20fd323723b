# ruff: noqa: S608  SQL of fixed values; nothing comes from outside
"""Throw-away databases: the earlier system's tables and rows, the real `migrate` on
them, what the catalogues say.
"""

import contextlib
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from solders.pubkey import Pubkey

CHECKOUT = Path(__file__).resolve().parents[2]
TABLES = ("discovery_runs", "discovery_run_wallets", "discovery_config")

# The earlier system's own script, word for word (its story 9.6). Kept apart from the
# migration's copy on purpose.
CREATE_RUNS = """
CREATE TABLE IF NOT EXISTS discovery_runs (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    started_at TIMESTAMPTZ NOT NULL,
    completed_at TIMESTAMPTZ,
    status VARCHAR(20) NOT NULL DEFAULT 'running',

    trigger_type VARCHAR(20) NOT NULL,
    triggered_by VARCHAR(100),

    min_price_change_pct DECIMAL(5,2),
    min_volume_usd DECIMAL(15,2),
    max_token_age_hours INTEGER,
    early_window_minutes INTEGER,
    min_profit_pct DECIMAL(5,2),
    max_tokens INTEGER,

    tokens_analyzed INTEGER DEFAULT 0,
    new_wallets INTEGER DEFAULT 0,
    updated_wallets INTEGER DEFAULT 0,
    profiled_wallets INTEGER DEFAULT 0,
    duration_seconds DECIMAL(10,2),

    errors JSONB DEFAULT '[]',
    created_at TIMESTAMPTZ DEFAULT NOW()
);

CREATE INDEX IF NOT EXISTS idx_discovery_runs_started
    ON discovery_runs(started_at DESC);
CREATE INDEX IF NOT EXISTS idx_discovery_runs_status
    ON discovery_runs(status);
"""
CREATE_RUN_WALLETS = """
CREATE TABLE IF NOT EXISTS discovery_run_wallets (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    run_id UUID NOT NULL REFERENCES discovery_runs(id) ON DELETE CASCADE,
    wallet_address VARCHAR(44) NOT NULL,
    source_token VARCHAR(44) NOT NULL,
    is_new BOOLEAN DEFAULT TRUE,
    initial_score DECIMAL(5,4),
    created_at TIMESTAMPTZ DEFAULT NOW()
);

CREATE INDEX IF NOT EXISTS idx_drw_run
    ON discovery_run_wallets(run_id);
CREATE INDEX IF NOT EXISTS idx_drw_wallet
    ON discovery_run_wallets(wallet_address);
"""
CREATE_CONFIG = """
CREATE TABLE IF NOT EXISTS discovery_config (
    id INTEGER PRIMARY KEY DEFAULT 1,
    enabled BOOLEAN DEFAULT TRUE,
    schedule_hours INTEGER DEFAULT 6,

    min_price_change_pct DECIMAL(5,2) DEFAULT 100.0,
    min_volume_usd DECIMAL(15,2) DEFAULT 50000.0,
    max_token_age_hours INTEGER DEFAULT 72,
    early_window_minutes INTEGER DEFAULT 30,
    min_profit_pct DECIMAL(5,2) DEFAULT 50.0,
    max_tokens INTEGER DEFAULT 20,
    profile_immediately BOOLEAN DEFAULT TRUE,

    updated_at TIMESTAMPTZ DEFAULT NOW(),
    updated_by VARCHAR(100),

    CONSTRAINT single_config_row CHECK (id = 1)
);
"""
DEFAULT_CONFIG_ROW = (
    "INSERT INTO discovery_config (id) VALUES (1) ON CONFLICT (id) DO NOTHING;"
)
CREATE_ALL = CREATE_RUNS + CREATE_RUN_WALLETS + CREATE_CONFIG + DEFAULT_CONFIG_ROW

WALLET_A, WALLET_B, WALLET_C, MINT_1, MINT_2 = (
    str(Pubkey(bytes([7 + n]) * 32)) for n in range(5)
)
RUN_FULL, RUN_EMPTY, RUN_FAILED, RUN_LEFT, RUN_LEFT_TOO = (
    str(uuid.UUID(int=n)) for n in range(1, 6)
)

RUN_ROWS = f"""
INSERT INTO discovery_runs VALUES
    ('{RUN_FULL}', '2025-11-01 10:00+00', '2025-11-01 10:03:20.5+00', 'completed', 'scheduled', 'scheduler',
     999.99, 9999999999999.99, 48, 15, 75.25, 7, 7, 2, 1, 3, 200.50, '[]', '2025-11-01 10:00:01+00'),
    ('{RUN_EMPTY}', '2025-11-02 10:00+00', '2025-11-02 10:01+00', 'completed', 'api', 'ana',
     100, 50000, 72, 30, 50, 20, 0, 0, 0, 0, 60, NULL, '2025-11-02 10:00+00'),
    ('{RUN_FAILED}', '2025-11-03 10:00+00', '2025-11-03 10:00:30+00', 'failed', 'manual', NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '["rate limited", "timeout after 30 s"]', NULL),
    ('{RUN_LEFT}', '2025-11-04 10:00+00', NULL, 'running', 'scheduled', 'scheduler',
     100, 50000, 72, 30, 50, 20, 3, 0, 0, 0, NULL, NULL, '2025-11-04 10:00+00'),
    ('{RUN_LEFT_TOO}', '2025-11-05 10:00+00', NULL, 'running', 'manual', NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, NULL, '["dexscreener: 429"]', '2025-11-05 10:00+00');
"""
RUN_WALLET_ROWS = f"""
INSERT INTO discovery_run_wallets (id, run_id, wallet_address, source_token, is_new, initial_score, created_at) VALUES
    ('{uuid.UUID(int=11)}', '{RUN_FULL}', '{WALLET_A}', '{MINT_1}', true, 0.8123, '2025-11-01 10:01+00'),
    ('{uuid.UUID(int=12)}', '{RUN_FULL}', '{WALLET_A}', '{MINT_1}', true, 0.8123, '2025-11-01 10:01+00'),
    ('{uuid.UUID(int=13)}', '{RUN_FULL}', '{WALLET_A}', '{MINT_2}', false, NULL, '2025-11-01 10:02+00'),
    ('{uuid.UUID(int=14)}', '{RUN_FULL}', '{WALLET_B}', '{MINT_1}', NULL, 1, '2025-11-01 10:02+00'),
    ('{uuid.UUID(int=15)}', '{RUN_FAILED}', '{WALLET_A}', '{MINT_2}', false, 0, '2025-11-03 10:00:10+00'),
    ('{uuid.UUID(int=16)}', '{RUN_FAILED}', '{WALLET_C}', '{MINT_2}', NULL, NULL, NULL);
"""
CONFIG_ROW = """
INSERT INTO discovery_config VALUES
    (1, false, 12, 250.50, 123456.78, 48, 15, 75.25, 7, false, '2025-10-31 08:00+00', 'ana')
    ON CONFLICT (id) DO UPDATE SET (enabled, schedule_hours, min_price_change_pct, min_volume_usd, max_token_age_hours,
        early_window_minutes, min_profit_pct, max_tokens, profile_immediately, updated_at, updated_by) =
        (excluded.enabled, excluded.schedule_hours, excluded.min_price_change_pct, excluded.min_volume_usd,
        excluded.max_token_age_hours, excluded.early_window_minutes, excluded.min_profit_pct, excluded.max_tokens,
        excluded.profile_immediately, excluded.updated_at, excluded.updated_by);
"""
NULL_CONFIG = """
UPDATE discovery_config SET (enabled, schedule_hours, min_price_change_pct, min_volume_usd, max_token_age_hours,
    early_window_minutes, min_profit_pct, max_tokens, profile_immediately, updated_at, updated_by) =
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
"""
ALL_ROWS = RUN_ROWS + RUN_WALLET_ROWS + CONFIG_ROW
EARLIER = CREATE_ALL + ALL_ROWS

COLUMNS = """
SELECT table_name, column_name, udt_name, character_maximum_length, numeric_precision, numeric_scale, is_nullable,
       column_default, collation_name, is_identity, is_generated
FROM information_schema.columns WHERE table_schema = %(schema)s AND table_name = ANY(%(tables)s) ORDER BY 1, 2
"""
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), condeferrable, condeferred, convalidated
FROM pg_constraint WHERE connamespace = to_regnamespace(%(schema)s) AND conrelid::regclass::text = ANY(%(tables)s)
ORDER BY 1, 2
"""
INDEXES = """
SELECT tablename, indexname, replace(indexdef, format(' %%I.', %(schema)s::text), ' ')
FROM pg_indexes WHERE schemaname = %(schema)s AND tablename = ANY(%(tables)s) ORDER BY 1, 2
"""
RELATIONS = """
SELECT relname, relkind::text FROM pg_class WHERE relnamespace = to_regnamespace(%(schema)s)
UNION ALL SELECT typname, 'type' FROM pg_type WHERE typnamespace = to_regnamespace(%(schema)s) ORDER BY 1, 2
"""

Row = tuple[Any, ...]


def server_url() -> str:
    """The test server's URL, whose role may make databases."""
    return os.environ["DATABASE_URL"]


def administer(statement: str, *names: str) -> None:
    """One statement about whole databases, which cannot run inside a transaction."""
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


class Database:
    """A database of its own, with the tables of interest in one schema of it."""

    def __init__(self, name: str, schema: str = "public") -> None:
        self.name = name
        self.schema = schema
        self.url = urlsplit(server_url())._replace(path=f"/{name}").geturl()

    @contextlib.contextmanager
    def session(self) -> Iterator[psycopg.Connection[Row]]:
        """A session that sees the schema; each statement commits by itself unless a
        transaction is opened.
        """
        options = f"-c search_path={self.schema}"
        with psycopg.connect(self.url, autocommit=True, options=options) as connection:
            yield connection

    def run(self, script: str) -> None:
        """Statements without parameters."""
        with self.session() as connection:
            connection.execute(script)

    def rows(self, query: str, **values: Any) -> list[Row]:
        """What a query answers."""
        with self.session() as connection:
            return connection.execute(query, values).fetchall()

    def start(self, *arguments: str, **env: str) -> "subprocess.Popen[str]":
        """`manage.py` with arguments, on this database; warnings end it."""
        unset = ("DISCOVERY_SCHEDULE_HOURS", "DISCOVERY_SCHEDULER_ENABLED")
        inherited = {
            name: value for name, value in os.environ.items() if name not in unset
        }
        return subprocess.Popen(
            [sys.executable, "-W", "error", "manage.py", *arguments],
            cwd=CHECKOUT,
            env=inherited
            | {"DATABASE_URL": self.url, "DATABASE_SCHEMA": self.schema}
            | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def manage(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """The same, to its end."""
        process = self.start(*arguments, **env)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    @contextlib.contextmanager
    def undone(self) -> Iterator[psycopg.Connection[Row]]:
        """A session whose changes are taken back at its end."""
        with self.session() as connection, connection.transaction(force_rollback=True):
            yield connection

    def migrate(self, *arguments: str, **env: str) -> None:
        """`migrate`, which must succeed."""
        done = self.manage("migrate", *arguments, **env)
        assert done.returncode == 0, done.stderr

    def earlier_rows(self, columns: dict[str, list[str]]) -> dict[str, list[Row]]:
        """Every row of the three tables in the given columns, each value as PostgreSQL
        writes it.
        """
        with self.session() as connection:
            return {
                table: connection.execute(
                    f"SELECT {', '.join(f'{name}::text' for name in names)} FROM {table} ORDER BY id"
                ).fetchall()
                for table, names in columns.items()
            }

    def catalogue(self) -> dict[str, list[Row]]:
        """Every column (type, nullability, default), constraint and index of the three
        tables, with its definition.
        """
        queries = {"columns": COLUMNS, "constraints": CONSTRAINTS, "indexes": INDEXES}
        values = {"schema": self.schema, "tables": list(TABLES)}
        with self.session() as connection:
            return {
                kind: connection.execute(query, values).fetchall()
                for kind, query in queries.items()
            }

    def columns(self) -> list[Row]:
        """Name, type, nullability and default of every column of the three tables."""
        return self.catalogue()["columns"]

    def constraints(self) -> list[Row]:
        """Name and definition of every constraint of the three tables."""
        return self.catalogue()["constraints"]

    def indexes(self) -> list[Row]:
        """Name and definition of every index of the three tables."""
        return self.catalogue()["indexes"]

    def relations(self, schema: str | None = None) -> list[Row]:
        """Every table, index, sequence and type of a schema; none where there is no
        such schema.
        """
        return self.rows(RELATIONS, schema=schema or self.schema)


def column_names(columns: Sequence[Row]) -> dict[str, list[str]]:
    """Of `Database.columns`: the names by table."""
    return {table: [row[1] for row in columns if row[0] == table] for table in TABLES}


MakeDatabase = Callable[..., Database]
"""Makes a database: empty in `schema`, or a copy of `template`; then runs `script` in
it.
"""
