"""Opening hours: whether it is open, when it opens next, and how a person says that."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from ivr.flow import public_holidays

DAY = 24 * 60
# A day's open times, in minutes from its midnight; what ends after 24:00 goes on into the next day.
Spans = tuple[tuple[int, int], ...]

LOOKS_AHEAD = 366  # days
NEVER = "another day"  # said where nothing opens within them
LONGEST = "on September 30 at 12:30 PM"

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True)
class Hours:
    """`dates` go before `holidays`, these before the `week`. A span belongs to the day on which it begins."""

    zone: str
    week: tuple[Spans, ...]  # from Monday on
    holidays: tuple[str, ...] = ()  # countries and regions, closed on their holidays
    dates: Mapping[date, Spans] = field(default_factory=dict)

    def is_open(self, now: datetime) -> bool:
        # A clock that is set back over midnight shows yesterday once more when today has begun.
        return any(begin <= now < end for begin, end in self._spans(self._local(now).date(), 1))

    def opens(self, now: datetime) -> datetime | None:
        """The next opening; None when it is always open, or does not open within a year."""
        closes = now
        for begin, end in self._spans(self._local(now).date(), LOOKS_AHEAD):
            if begin > closes:
                return begin
            closes = max(closes, end)
        return None

    def spoken(self, opens: datetime | None, now: datetime) -> str:
        """`opens` as a person says it at `now`: "tomorrow at 8 AM"."""
        return spoken(opens, now, self.zone) if opens else NEVER

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.zone))

    def _spans(self, day: date, ahead: int) -> Iterator[tuple[datetime, datetime]]:
        """When it is open, from the day before `day` on, in order."""
        for number in range(-1, ahead + 1):
            this = day + timedelta(number)
            for first, last in self._on(this):
                begin, end = _moment(this, first, self.zone), _moment(this, last, self.zone)
                if begin < end:  # clocks may skip the whole span
                    yield begin, end

    def _on(self, day: date) -> Spans:
        if day in self.dates:
            return self.dates[day]
        if any(day in public_holidays.in_year(code, day.year) for code in self.holidays):
            return ()
        return self.week[day.weekday()]


def next_midnight(now: datetime, zone: str) -> datetime:
    return _moment(now.astimezone(ZoneInfo(zone)).date() + timedelta(1), 0, zone)


def spoken(moment: datetime, now: datetime, zone: str) -> str:
    """A moment to come as a person says it at `now`: "at 2:32 PM", "tomorrow at 8 AM", "on Monday at noon"."""
    then, today = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    days = (then.date() - today).days
    if days <= 1 and not (then.hour or then.minute):
        return "at midnight"
    if days <= 0:
        return f"at {_clock(then)}"
    if days == 1:
        return f"tomorrow at {_clock(then)}"
    if days < 7:
        return f"on {_DAYS[then.weekday()]} at {_clock(then)}"
    return f"on {_MONTHS[then.month - 1]} {then.day} at {_clock(then)}"


def _clock(then: datetime) -> str:
    if then.hour == 12 and not then.minute:
        return "noon"
    minutes = f":{then.minute:02}" if then.minute else ""
    return f"{(then.hour - 1) % 12 + 1}{minutes} {'AM' if then.hour < 12 else 'PM'}"


@lru_cache(maxsize=1024)
def _moment(day: date, minutes: int, zone_name: str) -> datetime:
    """When clocks show this time: the first time of two; of a time that is skipped, the moment of the skip."""
    zone = ZoneInfo(zone_name)
    shown = datetime.combine(day, time()) + timedelta(minutes=minutes)
    first = shown.replace(tzinfo=zone).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == shown:
        return first
    before, after = int(shown.replace(tzinfo=zone, fold=1).timestamp()), int(first.timestamp())
    offset = datetime.fromtimestamp(after, zone).utcoffset()
    while after - before > 1:
        between = (before + after) // 2
        if datetime.fromtimestamp(between, zone).utcoffset() == offset:
            after = between
        else:
            before = between
    return datetime.fromtimestamp(after, UTC)
