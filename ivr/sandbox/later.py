"""What is sent later: the clock runs on to each moment at which the server has something to say."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from ivr.sandbox.ahead import Ahead
from ivr.sandbox.clock import Clock

LOOKS_AHEAD = timedelta(days=4)  # a weekend and a holiday
MOST = 20  # moments


class Waiting(Protocol):
    def next_at(self) -> datetime | None:
        """When the server has something to say next, if nobody writes."""

    def unfinished(self) -> int:
        """How many texts are not known to be sent."""


def run_on(
    clock: Clock, ahead: Ahead, waiting: Waiting, settle: Callable[[], None], tell: Callable[[str], None], zone: str
) -> None:
    """`settle`: let what is under way arrive. `tell`: say what time it is, before what is said then."""
    end = ahead() + LOOKS_AHEAD
    for _ in range(MOST):
        moment = waiting.next_at()
        if moment is None or moment > end:
            return
        seconds = max(0.0, (moment - ahead()).total_seconds())
        clock.advance(seconds)
        ahead.pass_(seconds)
        tell(f"it is {moment.astimezone(ZoneInfo(zone)):%a %H:%M}")
        if not _noticed(waiting, moment):
            return
        settle()


def _noticed(waiting: Waiting, moment: datetime, within: float = 10.0) -> bool:
    """Whether the worker has looked at what was due."""
    give_up = time.monotonic() + within
    while time.monotonic() < give_up:
        following = waiting.next_at()
        if following is None or following > moment:
            return True
        time.sleep(0.05)
    return False
