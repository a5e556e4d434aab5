"""Quiet hours: when a text that nobody waits for may arrive, wherever its reader may be."""

from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

# Where it is this hour or later, and earlier than the other (47 CFR 64.1200(c)(1), which asks it of calls).
BEGINS, ENDS = 8, 21
LOOKS_AHEAD = 48  # hours; what is not allowed in them never is
STEP = timedelta(minutes=15)  # every zone's clock is a multiple of it away from UTC


def is_quiet(zones: Collection[str], moment: datetime) -> bool:
    """Whether it is night in any of the time zones."""
    return any(not BEGINS <= moment.astimezone(ZoneInfo(zone)).hour < ENDS for zone in zones)


def allowed(zones: Collection[str], moment: datetime) -> datetime | None:
    """The first moment from `moment` on when it is night in none of them; None where there is none."""
    if not is_quiet(zones, moment):
        return moment
    begun = moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
    later = (begun + STEP * number for number in range(1, LOOKS_AHEAD * 4))
    return next((each for each in later if not is_quiet(zones, each)), None)


def ends(zones: Collection[str], moment: datetime) -> datetime:
    """When the night begins in the first of them, from a moment that is in none."""
    begun = moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
    later = (begun + STEP * number for number in range(1, LOOKS_AHEAD * 4))
    return next(each for each in later if is_quiet(zones, each))
