"""The clock of a call that a person makes: real time, which the person may hurry."""

import time
from collections.abc import Callable
from threading import Condition, Event, Lock, Thread

from ivr.sandbox.clock import Clock

TICK = 0.1  # seconds


class LiveClock(Clock):
    """`hurried`: told the seconds that passed faster than they do, before anything happens in them."""

    def __init__(self, hurried: Callable[[float], None] = lambda _seconds: None) -> None:
        super().__init__()
        self._hurried = hurried
        self._moved = Condition()
        self._one_at_a_time = Lock()
        self._stopped = Event()
        self._read = time.monotonic()
        Thread(target=self._run, name="live clock", daemon=True).start()

    def hurry(self, seconds: float) -> None:
        self._hurried(seconds)
        self._pass(seconds)

    def wait_until(self, moment: float, unless: Callable[[], bool]) -> bool:
        """Whether `moment` came before `unless` did; `nudge` has that looked at again."""
        with self._moved:
            self._moved.wait_for(lambda: unless() or self.now >= moment)
        return not unless()

    def nudge(self) -> None:
        with self._moved:
            self._moved.notify_all()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(TICK):
            now = time.monotonic()
            passed, self._read = now - self._read, now
            self._pass(passed)

    def _pass(self, seconds: float) -> None:
        with self._one_at_a_time:
            self.advance(seconds)
        self.nudge()
