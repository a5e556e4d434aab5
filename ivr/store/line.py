"""SQLite's one write at a time: who waits for it, and how."""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

# Seconds. A webhook has three; what waits longer for the database answers from the flow alone.
SQLITE_BUSY = 2.0
SQLITE_RETRY = 0.0002


def in_turn(cursor: Any, statement: str, values: Mapping[str, Any], give_up: float) -> None:
    """Run what needs SQLite's write lock, when it is free. Raises when it is not until `give_up` (monotonic).

    SQLite's own busy handler sleeps in whole milliseconds; transactions here last a tenth of one.
    """
    while True:
        try:
            cursor.execute(statement, values)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(SQLITE_RETRY)


class _Write:
    """Statements, and what came of them once `done` can be taken."""

    __slots__ = ("done", "error", "give_up", "rows", "statements", "values")

    def __init__(self, statements: Sequence[str], values: Mapping[str, Any], give_up: float) -> None:
        self.statements, self.values, self.give_up = statements, values, give_up
        self.rows: list[int] = []
        self.error: Exception | None = None
        self.done = threading.Lock()
        self.done.acquire()


class Line:
    """The connection that all quick writes of a process to SQLite take, one after the other.

    Threads with a connection each would ask for SQLite's lock again and again, and every write of one would empty the
    page caches of the others. Whoever finds nobody at work writes what is waiting, its own and what others bring
    meanwhile: a thread that waits for a lock which another gives back is woken too late, and all behind it with it.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], patience: float = SQLITE_BUSY) -> None:
        self.connect = connect
        self._patience = patience
        self._waiting: deque[_Write] = deque()
        self._turn = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def run(self, statements: Sequence[str], values: Mapping[str, Any]) -> list[int]:
        """The number of rows each statement wrote, in a transaction of its own."""
        write = _Write(statements, values, time.monotonic() + self._patience)
        self._waiting.append(write)
        # Asked again after the turn: who came after the last look at what waits, and before its end, waits for us.
        while self._waiting and self._turn.acquire(blocking=False):
            try:
                while self._waiting:
                    self._write(self._waiting.popleft())
            finally:
                self._turn.release()
        write.done.acquire()
        if write.error is not None:
            raise write.error
        return write.rows

    def _write(self, write: _Write) -> None:
        try:
            write.rows = self._written(write)
        except Exception as error:  # this one's; those behind it get a new connection
            write.error = error
            self.close()
        finally:
            write.done.release()

    def _written(self, write: _Write) -> list[int]:
        if self._connection is None:
            self._connection = self.connect()
        cursor, rows = self._connection.cursor(), []
        for statement in write.statements:
            in_turn(cursor, statement, write.values, write.give_up)
            rows.append(cursor.rowcount)
        return rows

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
