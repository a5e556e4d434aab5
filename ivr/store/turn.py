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
    answers = False  # a webhook, for which somebody waits
    has_turn = False


class Turn:
    """SQLite works in the thread that asks it, and each statement gives Python's lock back several times.

    Two threads half-way through a request then take it from one another each time, and both are late: of requests that
    come in a row each is answered sooner. Nobody waits for the network in the turn.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._behind = threading.Lock()  # who has it may ask for the turn: a webhook waits for one of them at most
        self._mine = _Mine()

    @property
    def patience(self) -> float:
        """How long this thread may wait to write, in seconds."""
        return SQLITE_BUSY if self._mine.answers else PATIENCE_BEHIND

    @contextmanager
    def answering(self) -> Iterator[None]:
        """A webhook is answered in the turn if it comes soon, and without it if not."""
        mine = self._mine
        mine.answers, mine.has_turn = True, self._turn.acquire(timeout=ANSWERS_WITHIN)
        try:
            yield
        finally:
            self.step_aside()
            mine.answers = False

    def step_aside(self) -> None:
        """What comes now waits for the network: others are answered meanwhile. Writing takes the turn again."""
        if self._mine.has_turn:
            self._mine.has_turn = False
            self._turn.release()

    @contextmanager
    def writing(self, give_up: float) -> Iterator[None]:
        """A transaction that writes. Raises TooLate when its turn has not come at `give_up` (monotonic)."""
        if self._mine.has_turn:
            yield
        elif self._mine.answers:
            with _acquired(self._turn, give_up):
                yield
        else:
            with _acquired(self._behind, give_up), _acquired(self._turn, give_up):
                yield


@contextmanager
def _acquired(lock: threading.Lock, give_up: float) -> Iterator[None]:
    if not lock.acquire(timeout=max(0.0, give_up - time.monotonic())):
        raise TooLate("The database was not free to be written to in time.")
    try:
        yield
    finally:
        lock.release()
