"""How many requests a second each key of the API may make; counted in this process."""

from collections.abc import Callable
from datetime import datetime
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
