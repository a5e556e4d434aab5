"""How many requests a second each key of the API may make, and how soon a wrong password may be followed by another."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

A_SECOND = 30  # as LivePerson's Connect to Messaging allows


class Limits:
    """A bucket a key: full it has a second's requests, and it fills as time passes.

    In the process, not in the database: what it is for is that one client cannot keep this process from answering
    others, and a row written for each refused request would be what it guards against.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = Lock()
        self._buckets: dict[str, tuple[float, datetime]] = {}

    def take(self, key: str) -> bool:
        """Whether this key may make one more request now."""
        now = self._now()
        with self._lock:
            left, at = self._buckets.get(key, (float(A_SECOND), now))
            passed = max(0.0, (now - at).total_seconds())  # a clock may jump back
            left = min(float(A_SECOND), left + passed * A_SECOND)
            may = left >= 1
            self._buckets[key] = (left - 1 if may else left, now)
        return may


FREE_TRIES = 3  # of an address: people mistype
LONGEST_WAIT = 60.0  # seconds
FORGIVEN_AFTER = timedelta(minutes=15)
EVERYBODY = ""
EVERYBODYS_TRIES = 30  # over all addresses, which a guesser may have many of
MOST_KEPT = 10_000


class Tries:
    """Wrong passwords: after a few, each doubles the time until the next one is looked at. Counted in this process."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = Lock()
        self._wrong: dict[str, tuple[int, datetime]] = {}

    def wait(self, address: str) -> float:
        """Seconds until this address may try; 0 where it may now."""
        with self._lock:
            return max(self._left(address, FREE_TRIES), self._left(EVERYBODY, EVERYBODYS_TRIES))

    def wrong(self, address: str) -> None:
        now = self._now()
        with self._lock:
            if len(self._wrong) > MOST_KEPT:
                self._wrong = {EVERYBODY: self._wrong[EVERYBODY]}
            for who in (address, EVERYBODY):
                many, last = self._wrong.get(who, (0, now))
                self._wrong[who] = (1 if now - last > FORGIVEN_AFTER else many + 1, now)

    def right(self, address: str) -> None:
        with self._lock:
            self._wrong.pop(address, None)

    def _left(self, who: str, free: int) -> float:
        many, last = self._wrong.get(who, (0, self._now()))
        if many < free:
            return 0.0
        passed = abs((self._now() - last).total_seconds())
        return max(0.0, min(LONGEST_WAIT, 2.0 ** min(many - free, 10)) - passed)
