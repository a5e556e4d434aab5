"""The time at which a scene is played, as a person writes it: `2026-12-25 10:00`, or `Sat 22:30` for the next one."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d|[a-z]{3}) (\d\d?:\d\d)", re.IGNORECASE)


def moment(text: str, zone: str, now: datetime) -> datetime | None:
    """UTC; `text` is local time in `zone`. None when it is no time."""
    written = _WRITTEN.fullmatch(" ".join(text.split()))
    if not written:
        return None
    day, here = written[1].lower(), now.astimezone(ZoneInfo(zone))
    try:
        time = datetime.strptime(written[2], "%H:%M").time()
        if day in _DAYS:
            date = here.date() + timedelta((_DAYS.index(day) - here.weekday()) % 7)
            if datetime.combine(date, time) < here.replace(tzinfo=None):
                date += timedelta(7)
        else:
            date = datetime.fromisoformat(day).date()
    except ValueError:
        return None
    return datetime.combine(date, time, ZoneInfo(zone)).astimezone(UTC)
