"""The database: one engine a process, opened after the fork; who writes says so when the transaction begins."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.pool import QueuePool

# Seconds. A webhook has three; what waits longer for the database answers from the flow alone.
WAIT_FOR_A_CONNECTION = 2
SQLITE_BUSY = 5.0

Insert = postgresql.Insert | sqlite.Insert


@dataclass(frozen=True, slots=True)
class Database:
    engine: Engine

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    @contextmanager
    def reads(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writes(self) -> Iterator[Connection]:
        """A transaction that may read and then write: it takes SQLite's one write lock at its beginning."""
        with self.engine.execution_options(writes=True).begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def opened(url: str, connections: int = 5) -> Database:
    """A database at a SQLAlchemy URL, at most `connections` open at once. Connects at the first use."""
    if make_url(url).get_backend_name() == "sqlite":
        return Database(_sqlite(url, connections))
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=WAIT_FOR_A_CONNECTION,
        connect_args={"connect_timeout": 2, "options": "-c timezone=UTC"},
    )
    return Database(engine)


@contextmanager
def opened_once(url: str) -> Iterator[Database]:
    """A database for a start, a migration or a command: nothing of it stays open."""
    database = opened(url, 1)
    try:
        yield database
    finally:
        database.close()


def _sqlite(url: str, connections: int) -> Engine:
    file = make_url(url).database
    if file:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=WAIT_FOR_A_CONNECTION,
        connect_args={"timeout": SQLITE_BUSY, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver begins transactions by itself, at the first write and after the read; ours begin where we say.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def insert(dialect: str, table: Table) -> Insert:
    """An INSERT that knows ON CONFLICT, which both databases write the same way."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@dataclass(frozen=True, slots=True)
class Quick:
    """Writes compiled once and run on the driver's own cursor, in one transaction.

    For the rows written before a caller hears a word: Core's machinery costs each of them five times as much.
    """

    database: Database
    statements: tuple[str, ...]

    @classmethod
    def of(cls, database: Database, *statements: Insert) -> "Quick":
        dialect: Any = sqlite.dialect(paramstyle="named") if database.dialect == "sqlite" else database.engine.dialect
        return cls(database, tuple(str(statement.compile(dialect=dialect)) for statement in statements))

    def run(self, values: Mapping[str, Any]) -> None:
        pooled = self.database.engine.raw_connection()
        try:
            cursor = pooled.cursor()
            if self.database.dialect == "sqlite":
                cursor.execute("BEGIN IMMEDIATE")
            for statement in self.statements:
                cursor.execute(statement, values)
            pooled.commit()
        except Exception:
            pooled.invalidate()  # the pool cannot see that this connection broke; a new one costs little
            raise
        finally:
            pooled.close()
