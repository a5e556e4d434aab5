"""The database: one engine a process, opened after the fork; who writes says so when the transaction begins."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from ivr.store.line import SQLITE_BUSY, Line, in_turn
from ivr.store.turn import Turn

WAIT_FOR_A_CONNECTION = 2  # seconds, as for SQLite's lock
PATIENCE = "-c timezone=UTC -c lock_timeout=1500 -c statement_timeout=2000"  # milliseconds

Insert = postgresql.Insert | sqlite.Insert


@dataclass(frozen=True, slots=True)
class Database:
    engine: Engine  # on SQLite only what `reads` and `writes` began is a transaction
    line: Line | None = None  # of quick writes, on SQLite
    turn: Turn | None = None  # of this process's webhooks, of its other writes, and of its worker's, on SQLite

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    @contextmanager
    def reads(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            if self.turn is not None:
                _begin(connection, "BEGIN", 0.0)
            yield connection

    @contextmanager
    def writes(self) -> Iterator[Connection]:
        """A transaction that may read and then write: it takes SQLite's one write lock at its beginning.

        Threads that asked SQLite for it again and again would hold a connection each meanwhile, and whoever asks at
        the right moment would have it, however long others wait: they queue here before they have a connection.
        """
        if self.turn is None:
            with self.reads() as connection:
                yield connection
            return
        give_up = time.monotonic() + self.turn.patience
        with self.turn.writing(give_up), self.engine.begin() as connection:
            _begin(connection, "BEGIN IMMEDIATE", give_up)
            yield connection

    def answering(self) -> AbstractContextManager[None]:
        """A webhook is being answered, which goes before other work of this process."""
        return self.turn.answering() if self.turn else nullcontext()

    def work_behind(self) -> None:
        """This thread is a worker's, for which nobody waits."""
        if self.turn:
            self.turn.work_behind()

    def step_aside(self) -> None:
        """The webhook of this thread waits for the network now."""
        if self.turn:
            self.turn.step_aside()

    def close(self) -> None:
        if self.line is not None:
            self.line.close()
        self.engine.dispose()


def opened(url: str, connections: int = 5, patient: bool = False) -> Database:
    """A database at a SQLAlchemy URL, at most `connections` open at once. Connects at the first use.

    `patient`: statements may take as long as they take (a migration); a caller waits for nobody.
    """
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite(url, max(1, connections - 1))
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=WAIT_FOR_A_CONNECTION,
        pool_use_lifo=True,  # the one that was used last still has its statements and its pages
        pool_pre_ping=True,  # a connection that the server closed meanwhile is replaced, not a caller's misfortune
        connect_args={
            "connect_timeout": 2,
            "tcp_user_timeout": 2000,
            "options": "-c timezone=UTC" if patient else PATIENCE,
        },
    )
    return Database(engine)


@contextmanager
def opened_once(url: str) -> Iterator[Database]:
    """A database for a start, a migration or a command: nothing of it stays open."""
    database = opened(url, 1, patient=True)
    try:
        yield database
    finally:
        database.close()


def _sqlite(url: str, connections: int) -> Database:
    file = make_url(url).database or ""
    Path(file).parent.mkdir(parents=True, exist_ok=True)

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(file, timeout=SQLITE_BUSY, check_same_thread=False)
        # The driver begins transactions by itself, at the first write and after the read; ours begin where we say.
        connection.isolation_level = None
        # The log is folded into the file beside the calls (ivr/store/folding.py), in a commit only where nobody does.
        pragmas = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "wal_autocheckpoint=100000")
        for pragma in (*pragmas, "busy_timeout=0"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    engine = create_engine(
        url,
        creator=connect,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=WAIT_FOR_A_CONNECTION,
        pool_use_lifo=True,
    )
    return Database(engine, Line(connect), Turn())


def _begin(connection: Connection, statement: str, give_up: float) -> None:
    """Begin on SQLite, whose driver was told not to.

    Not as a listener of the engine's: with one, every statement looks for listeners, and takes a third longer.
    """
    try:
        in_turn(connection.connection.cursor(), statement, {}, give_up)
    except sqlite3.Error as error:  # SQLAlchemy makes its own of what it runs itself, and not of this
        if not isinstance(error, sqlite3.OperationalError):  # a file that is put right has to be opened anew
            connection.invalidate()
        raise DBAPIError.instance(statement, None, error, sqlite3.Error, dialect=connection.dialect) from error


def insert(dialect: str, table: Table) -> Insert:
    """An INSERT that knows ON CONFLICT, which both databases write the same way."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@dataclass(frozen=True, slots=True)
class Quick:
    """Writes compiled once and run on the driver's own cursor; each of them may be repeated without harm.

    For the rows written before a caller hears a word: Core's machinery costs each of them five times as much. On SQLite
    every statement is its own transaction: its write lock is then held inside one call of the driver, which does not
    wait for Python's other threads meanwhile.
    """

    database: Database
    statements: tuple[str, ...]

    @classmethod
    def of(cls, database: Database, *statements: Insert) -> "Quick":
        dialect: Any = sqlite.dialect(paramstyle="named") if database.dialect == "sqlite" else database.engine.dialect
        return cls(database, tuple(str(statement.compile(dialect=dialect)) for statement in statements))

    def run(self, values: Mapping[str, Any]) -> bool:
        """Whether the first statement wrote a row; False for a replay."""
        if self.database.line is not None:
            return self.database.line.run(self.statements, values)[0] > 0
        pooled = self.database.engine.raw_connection()
        try:
            cursor = pooled.cursor()
            written = []
            for statement in self.statements:
                cursor.execute(statement, values)
                written.append(cursor.rowcount)
            pooled.commit()
            return written[0] > 0
        except Exception:
            pooled.invalidate()  # the pool cannot see that this connection broke; a new one costs little
            raise
        finally:
            pooled.close()
