"""What a person asks of the counts: which of them, from when to when, told by what."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ivr.store.count_tables import DIMENSIONS
from ivr.store.counted import Wanted

PERIODS = ("hour", "day", "week", "month")
# As people say it: the dialled number is `number`.
ONLY = {"brand": "brand", "branch": "branch", "language": "language", "channel": "channel", "number": "dialled"}
BY = (*ONLY, *PERIODS)
SPANS = {"today": 0, "yesterday": 1, "7d": 7, "28d": 28, "91d": 91, "365d": 365}  # days, today included
MOST_DAYS = 400  # at once: a page is answered in a moment
MOST_HOURS = 31 * 24  # lines of single hours

assert set(ONLY.values()) == set(DIMENSIONS)


class BadQuestion(Exception):
    """Something cannot be asked like this. The message is one clear sentence."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`first` and `last`: days in `zone`, both included."""

    first: date
    last: date
    zone: ZoneInfo
    only: Mapping[str, str]  # a column of the counts -> its one value
    by: str

    @property
    def since(self) -> datetime:
        return datetime.combine(self.first, time(), self.zone).astimezone(UTC)

    @property
    def until(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time(), self.zone).astimezone(UTC)

    @property
    def begins(self) -> list[datetime]:
        """Where its periods begin, as far as they are days or longer."""
        days = [self.first + timedelta(days=day) for day in range(self.days)]
        if self.by == "week":
            days = [day for day in days if day.weekday() == 0]
        if self.by == "month":
            days = [day for day in days if day.day == 1]
        if self.by not in PERIODS:
            return []
        return [datetime.combine(day, time(), self.zone).astimezone(UTC) for day in days]

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.since, self.until, self.only, self.begins)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def told_by(self, by: str) -> "Asked":
        return replace(self, by=by)


def asked(given: Mapping[str, str], zone: ZoneInfo, now: datetime, by: str = "day") -> Asked:
    """`given`: by, span or since and until (2026-03-02), and values of ONLY. Raises BadQuestion."""
    today = now.astimezone(zone).date()
    first, last = _span(given, today)
    told = given.get("by") or by
    if told not in BY:
        raise BadQuestion(f"by: {told[:30]!r} is none of {', '.join(BY)}.")
    if (last - first).days >= MOST_DAYS:
        raise BadQuestion(f"These are more than {MOST_DAYS} days; ask for fewer at once.")
    if told == "hour" and (last - first).days >= MOST_HOURS // 24:
        raise BadQuestion("By the hour, 31 days are told at once; ask for fewer, or by day.")
    only = {column: given[name] for name, column in ONLY.items() if given.get(name)}
    return Asked(first, last, zone, only, told)


def _span(given: Mapping[str, str], today: date) -> tuple[date, date]:
    if given.get("since") or given.get("until"):
        last = day("until", given["until"]) if given.get("until") else today
        first = day("since", given["since"]) if given.get("since") else last - timedelta(days=27)
        if first > last:
            raise BadQuestion(f"since: {first} is after {last}.")
        return first, last
    span = given.get("span") or "28d"
    if span not in SPANS:
        raise BadQuestion(f"span: {span[:30]!r} is none of {', '.join(SPANS)}.")
    if span == "yesterday":
        return today - timedelta(days=1), today - timedelta(days=1)
    return today - timedelta(days=max(0, SPANS[span] - 1)), today


def day(name: str, text: str) -> date:
    """A day that a person wrote, like 2026-03-02. Raises BadQuestion."""
    try:
        written = date.fromisoformat(text.strip())
    except ValueError:
        raise BadQuestion(f"{name}: {text[:30]!r} is no day; write it like 2026-03-02.") from None
    if not 2000 <= written.year < 2200:
        raise BadQuestion(f"{name}: {written} is out of reach; write a day of this century.")
    return written
