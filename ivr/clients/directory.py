"""A brand's own database of who uses its app: one SELECT, read-only, and never waited for."""

import os
import socket
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import BoundedSemaphore, Event, Lock, Thread
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from ivr import one_select
from ivr.clients.failure import SendError

SECONDS = 0.3  # the whole question, connecting included
AT_ONCE = 4  # questions of one process; with so many under way a caller is not made to wait for another
MOST_ROWS = 10
# Before our own patience ends the server itself gives up, so that nothing runs on there.
_PATIENCE = "-c default_transaction_read_only=on -c statement_timeout=250 -c lock_timeout=200"

Rows = list[Mapping[str, Any]]


class BadDirectory(Exception):
    """The URL is none that can be asked. The message is half a sentence without the URL, which has a password in it."""


class BrandDirectory:
    """One brand's database. Threads share it; its connections are kept. `seconds`: the longest wait."""

    def __init__(self, url: str, sql: str, seconds: float = SECONDS) -> None:
        self._engine, self._sql = _engine(url, sql)
        self._seconds = seconds
        self._free = BoundedSemaphore(AT_ONCE)

    def rows(self, number: str) -> Rows:
        """What the brand knows of an E.164 number, at most ten rows. Raises SendError, in time."""
        if not self._free.acquire(blocking=False):
            raise SendError("The consumers' database has not answered others yet")
        question = _Question(self._engine, self._sql, number, self._free.release)
        Thread(target=question.ask, name="directory", daemon=True).start()
        if not question.done.wait(self._seconds):
            question.give_up()
            raise SendError("The consumers' database did not answer in time")
        if question.failure is not None:
            # Its words may have the number, or the brand's data in them.
            raise SendError(f"The consumers' database refused ({type(question.failure).__name__})")
        return question.found

    def close(self) -> None:
        self._engine.dispose()


class _Question:
    """One question in a thread of its own, which can be torn from whatever it waits for."""

    def __init__(self, engine: Engine, sql: str, number: str, ended: Callable[[], None]) -> None:
        self.done = Event()
        self.found: Rows = []
        self.failure: Exception | None = None
        self._engine, self._sql, self._number, self._ended = engine, sql, number, ended
        self._lock = Lock()
        self._given_up = False
        self._driver: Any = None

    def ask(self) -> None:
        try:
            self.found = self._answer()
        except Exception as error:  # whatever the driver raises, it is the brand's database that is at fault
            self.failure = error
        finally:
            self._ended()
            self.done.set()

    def _answer(self) -> Rows:
        pooled = self._engine.raw_connection()
        try:
            with self._lock:
                self._driver = pooled.driver_connection
                if self._given_up:
                    return []
            cursor = pooled.cursor()
            cursor.execute(self._sql, {"number": self._number})
            names = [str(column[0]) for column in cursor.description or ()]
            found: Rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchmany(MOST_ROWS)]
            pooled.rollback()
        except BaseException:
            pooled.invalidate()
            raise
        finally:
            with self._lock:
                self._driver = None
            pooled.close()
        return found

    def give_up(self) -> None:
        """Nobody waits any more: what the thread waits for ends now, so that it is free for another caller."""
        with self._lock:
            self._given_up = True
            driver = self._driver
            if isinstance(driver, sqlite3.Connection):
                driver.interrupt()
            elif driver is not None:
                with suppress(Exception), socket.socket(fileno=os.dup(driver.pgconn.socket)) as wire:
                    wire.shutdown(socket.SHUT_RDWR)


def _engine(url: str, sql: str) -> tuple[Engine, str]:
    try:
        parsed = make_url(url)
        kind = {"postgres": "postgresql"}.get(parsed.get_backend_name(), parsed.get_backend_name())
    except (ArgumentError, ValueError):
        raise BadDirectory("is no database URL") from None
    pool: dict[str, Any] = {"poolclass": QueuePool, "pool_size": AT_ONCE, "max_overflow": 0, "pool_timeout": SECONDS}
    if kind == "sqlite":
        return create_engine("sqlite://", creator=_sqlite(parsed), **pool), sql.rstrip("; \t\r\n")
    if kind != "postgresql":
        raise BadDirectory(f"is of {kind[:20]}; PostgreSQL and SQLite can be asked")
    patience = {"connect_timeout": 2, "options": _PATIENCE, "tcp_user_timeout": 2000, "prepare_threshold": None}
    engine = create_engine(parsed.set(drivername="postgresql+psycopg"), connect_args=patience, pool_recycle=300, **pool)
    return engine, one_select.for_psycopg(sql)


def _sqlite(parsed: URL) -> Callable[[], sqlite3.Connection]:
    file = parsed.database
    if not file or file == ":memory:":
        raise BadDirectory("names no file")

    def connect() -> sqlite3.Connection:
        # Never made by our asking, never written; given up by itself where another program writes.
        uri = f"file:{quote(file)}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=0.2, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA query_only=ON")
        return connection

    return connect
