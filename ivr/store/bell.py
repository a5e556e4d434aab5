"""The bell: wakes this process's worker at once, when a row is due here or, on PostgreSQL, in any process."""

import threading
from collections.abc import Callable

import psycopg
from sqlalchemy.engine import make_url

from ivr.store.outbox import CHANNEL

HEARS_STOP_WITHIN = 1.0  # seconds
COMES_BACK_AFTER = 2.0


class Bell:
    def __init__(self) -> None:
        self._event = threading.Event()

    def ring(self) -> None:
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Whether it rang, since the last wait or within so many seconds."""
        rang = self._event.wait(seconds)
        self._event.clear()
        return rang


def listen(url: str, bell: Bell, stop: threading.Event, trouble: Callable[[Exception], None]) -> None:
    """Ring `bell` at every NOTIFY, on one connection of our own, until `stop`; comes back when the server does."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    while not stop.is_set():
        try:
            with psycopg.connect(address, autocommit=True, connect_timeout=2) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                bell.ring()  # what came while nobody listened
                while not stop.is_set():
                    for _ in connection.notifies(timeout=HEARS_STOP_WITHIN, stop_after=1):
                        bell.ring()
        except psycopg.Error as error:
            trouble(error)
            stop.wait(COMES_BACK_AFTER)
