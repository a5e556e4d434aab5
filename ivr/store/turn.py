"""The turn of a process on SQLite: one thread at work at a time, and who answers a webhook before who works behind."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import TimeoutError as TooLate

from ivr.store.line import SQLITE_BUSY

# Seconds. Who has the turn may be waiting for another process; the others then go on as they can.
ANSWERS_WITHIN = 0.1
# Seconds. Nobody listens to the worker, and what it cannot write down it has to find out anew.
PATIENCE_BEHIND = 10.0


class _Mine(threading.local):
    behind = False  # a worker's, for which nobody waits
    has_turn = False


class _Queue:
    """A lock that who waits in front gets before who waits behind.

    Of two who wait for Python's own lock either may have it, and a third who comes at that moment.
    """

    def __init__(self) -> None:
        self._taken, self._in_front = False, 0
        lock = threading.Lock()
        self._front, self._behind = threading.Condition(lock), threading.Condition(lock)

    def acquire(self, *, behind: bool, timeout: float) -> bool:
        """Whether it came within `timeout`, in seconds."""
        with self._front:
            if behind:
                got = self._behind.wait_for(self._is_free_behind, timeout)
            else:
                self._in_front += 1
                got = self._front.wait_for(self._is_free, timeout)
                self._in_front -= 1
            # Who gives up looks once more: in front nobody does while it is free, and behind only for one in front.
            self._taken = self._taken or got
        return got

    def release(self) -> None:
        with self._front:
            self._taken = False
            (self._front if self._in_front else self._behind).notify()

    def _is_free(self) -> bool:
        return not self._taken

    def _is_free_behind(self) -> bool:
        return not self._taken and not self._in_front


class Turn:
    """SQLite works in the thread that asks it, and each statement gives Python's lock back several times.

    Two threads half-way through a request then take it from one another each time, and both are late: of requests that
    come in a row each is answered sooner. Nobody waits for the network in the turn.
    """

    def __init__(self) -> None:
        self._queue = _Queue()
        self._mine = _Mine()

    @property
    def patience(self) -> float:
        """How long this thread may wait to write, in seconds."""
        return PATIENCE_BEHIND if self._mine.behind else SQLITE_BUSY

    def work_behind(self) -> None:
        """This thread is a worker's from now on: others go before it, and it waits longer."""
        self._mine.behind = True

    @contextmanager
    def answering(self) -> Iterator[None]:
        """A webhook is answered in the turn if it comes soon, and without it if not."""
        self._mine.has_turn = self._queue.acquire(behind=False, timeout=ANSWERS_WITHIN)
        try:
            yield
        finally:
            self.step_aside()

    def step_aside(self) -> None:
        """What comes now waits for the network: others are answered meanwhile. Writing takes the turn again."""
        if self._mine.has_turn:
            self._mine.has_turn = False
            self._queue.release()

    @contextmanager
    def writing(self, give_up: float) -> Iterator[None]:
        """A transaction that writes. Raises TooLate when its turn has not come at `give_up` (monotonic)."""
        if self._mine.has_turn:
            yield
            return
        left = max(0.0, give_up - time.monotonic())
        if not self._queue.acquire(behind=self._mine.behind, timeout=left):
            raise TooLate("The database was not free to be written to in time.")
        try:
            yield
        finally:
            self._queue.release()
