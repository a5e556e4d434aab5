"""The funnel: what was counted, a line a value or a period; each step a rate of the one before it, with certainty."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ivr import numbers
from ivr.funnel.asked import ONLY, PERIODS, Asked
from ivr.store import counted, counts
from ivr.store.counted import COUNTED, READABLE
from ivr.traffic.intervals import Range, wilson

# A step, and what it is a share of. A call may hear several offers, so that these are none of the calls.
RATES = {
    "accepted": "offered",
    "sent": "accepted",
    "delivered": "sent",
    "read": READABLE,
    "replied": "sent",
    "conversation": "replied",
    "closed": "conversation",
    "failed": "accepted",
}
NONE = "(none)"  # a branch, where a call heard no offer; a channel, where no text was tried
OF_NO_CHANNEL = ("calls", "offered")  # before there is a text


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    measured: Counter[str]
    channel: str | None = None  # where told apart by channels: its own, "" where no text was tried

    def many(self, step: str) -> int | None:
        """How many; None where this cannot be said of a channel, or where no text could be said to be read."""
        if step == "read" and not self.measured[READABLE]:
            return None
        return None if self.channel and step in OF_NO_CHANNEL else self.measured[step]

    def rate(self, step: str) -> Range | None:
        """A step as a share of the one before it, with the 95 % interval; None where nobody could take it."""
        if self.channel is not None and RATES[step] in OF_NO_CHANNEL:
            return None
        hits, of = self.measured[step], self.measured[RATES[step]]
        return wilson(hits, of) if hits <= of else None


@dataclass(frozen=True, slots=True)
class Funnel:
    asked: Asked
    lines: list[Line]
    total: Line
    upto: datetime | None  # when the rows were looked through last


def funnel(tx: Connection, asked: Asked) -> Funnel:
    """What was counted, as it is asked for."""
    found: dict[str, Counter[str]] = {}
    if asked.by in PERIODS:
        found = {label: Counter() for label in _labels(asked)}
        for moment, measured in counted.over_time(tx, replace(asked.wanted, hourly=asked.by == "hour")):
            here = found.setdefault(_period(moment, asked.by, asked.zone), Counter())
            for name, many in measured.items():  # a year has thousands: `update` would take twice the time
                here[name] += many
    else:
        for (value,), measured in counted.read(tx, asked.wanted, (ONLY[asked.by],)).items():
            found[value] = measured
    total = Counter({name: sum(measured[name] for measured in found.values()) for name in COUNTED})
    ordered = sorted(found.items()) if asked.by in PERIODS else sorted(found.items(), key=_most)
    one = asked.only.get("channel")
    lines = [
        Line(_label(value, asked), measured, value if asked.by == "channel" else one) for value, measured in ordered
    ]
    return Funnel(asked, lines, Line("all", total, one), counts.upto(tx))


def failures(tx: Connection, asked: Asked) -> list[tuple[str, int]]:
    """Why accepted offers had no text, the most frequent reason first."""
    found = counted.failures(tx, asked.wanted)
    return sorted(((reason, many) for (reason,), many in found.items()), key=lambda each: (-each[1], each[0]))


def _most(each: tuple[str, Counter[str]]) -> tuple[int, int, int, str]:
    return -each[1]["offered"], -each[1]["calls"], -each[1]["accepted"], each[0]


def _label(value: str, asked: Asked) -> str:
    return numbers.full(value) if asked.by == "number" and value else value or NONE


def _period(hour: datetime, by: str, zone: ZoneInfo) -> str:
    local = hour.astimezone(zone)
    return local.strftime("%Y-%m-%d %H:00") if by == "hour" else _of_day(local.date(), by)


def _of_day(day: date, by: str) -> str:
    if by == "week":
        return str(day - timedelta(days=day.weekday()))  # its Monday
    return day.strftime("%Y-%m") if by == "month" else str(day)


def _labels(asked: Asked) -> Iterator[str]:
    """Every period, also those in which nothing was."""
    if asked.by == "hour":
        hour = asked.since
        while hour < asked.until:
            yield _period(hour, "hour", asked.zone)
            hour += timedelta(hours=1)
        return
    for day in range(asked.days):
        yield _of_day(asked.first + timedelta(days=day), asked.by)
