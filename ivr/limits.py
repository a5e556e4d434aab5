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
EVERYBODYS_TRIES = 30  # over all addresses of a door, which a guesser may have many of
MOST_KEPT = 10_000


class Tries:
    """Wrong passwords: after a few, each doubles the time until the next one is looked at. Counted in this process.

    Each door counts for itself: what asks for metrics with an old password keeps nobody from the dashboard.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = Lock()
        self._wrong: dict[str, tuple[int, datetime]] = {}

    def looked_at(self, door: str, address: str, right: bool) -> float:
        """Seconds until a password from this address is looked at; 0 where this one is, and counts.

        In one go: of many at once no more are looked at than one after the other.
        """
        here = f"{door} {address}"
        with self._lock:
            wait = max(self._left(here, FREE_TRIES), self._left(door, EVERYBODYS_TRIES))
            if not wait:
                self._count(door, here, right)
            return wait

    def _count(self, door: str, here: str, right: bool) -> None:
        if right:
            self._wrong.pop(here, None)
            return
        now = self._now()
        if len(self._wrong) > MOST_KEPT:
            self._wrong = {who: wrong for who, wrong in self._wrong.items() if " " not in who}
        for who in (here, door):
            many, last = self._wrong.get(who, (0, now))
            self._wrong[who] = (1 if now - last > FORGIVEN_AFTER else many + 1, now)

    def _left(self, who: str, free: int) -> float:
        many, last = self._wrong.get(who, (0, self._now()))
        if many < free:
            return 0.0
        passed = abs((self._now() - last).total_seconds())
        return max(0.0, min(LONGEST_WAIT, 2.0 ** min(many - free, 10)) - passed)
