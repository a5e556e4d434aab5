"""The town's clock: virtual seconds, so that a call of a minute is over in a moment."""

import heapq
import itertools
from collections.abc import Callable
from threading import RLock


class Clock:
    """Time passes when the call engine says so; what is due by then happens on the way, in order."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._lock = RLock()

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Let `action` happen `seconds` from now."""
        with self._lock:
            heapq.heappush(self._due, (self.now + seconds, next(self._order), action))

    def advance(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due meanwhile."""
        end = self.now + seconds
        while True:
            with self._lock:
                if not self._due or self._due[0][0] > end:
                    break
                self.now, _, action = heapq.heappop(self._due)
            action()
        self.now = max(self.now, end)

    def run_out(self) -> None:
        """Let everything happen that is still to come."""
        while self._due:
            self.advance(max(0.0, self._due[0][0] - self.now))
