"""Opening times as brands write them, `Mon-Fri 08:00-20:00; Sat 09:00-13:00`, read into each day's spans."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ivr.flow.findings import near
from ivr.flow.hours import DAY, Spans

NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST_OVERNIGHT = 12 * 60  # minutes; what ends before it begins and would last longer is a slip
MOST_READ = 1_000  # characters

_SPAN = r"[0-9]{1,2}:[0-9]{2}\s*[-–]\s*[0-9]{1,2}:[0-9]{2}"
_TIMES = re.compile(rf"{_SPAN}(?:\s*,\s*{_SPAN})*")


@dataclass(frozen=True, slots=True)
class Week:
    days: tuple[Spans, ...]  # from Monday on
    written: str = ""


@dataclass(frozen=True, slots=True)
class OneDay:
    spans: Spans


class TimesFault(Exception):
    """Opening times that cannot be used; the message says what is wrong and what is allowed."""


def week(text: str) -> Week:
    _bounded(text)
    if re.sub(r"\s", "", text) == "24/7":
        return Week((((0, DAY),),) * 7, "24/7")
    found: list[list[tuple[int, int]]] = [[] for _ in NAMES]
    for part in text.split(";"):
        if part.strip():
            days, spans = _part(part.strip())
            for day in days:
                found[day] += spans
    read = Week(tuple(tuple(sorted(spans)) for spans in found), " ".join(text.split()))
    _apart(read)
    return read


def one_day(text: str) -> OneDay:
    """A single date's times, or `closed`."""
    _bounded(text)
    if text.lower() == "closed":
        return OneDay(())
    if not _TIMES.fullmatch(text):
        raise TimesFault(f"{text[:40]!r} is no time of a day; write one like 08:00-12:00, or closed")
    read = OneDay(tuple(sorted(_spans(text))))
    _apart(Week((read.spans,)), within=1)
    return read


def _bounded(text: str) -> None:
    if len(text) > MOST_READ:
        raise TimesFault(f"{len(text):,} characters; at most {MOST_READ:,}")
    if not re.sub(r"[\s;]", "", text):
        raise TimesFault("empty; write times like Mon-Fri 08:00-20:00")


def _part(part: str) -> tuple[list[int], list[tuple[int, int]]]:
    """The days and spans of `Mon-Fri 08:00-12:00, 13:00-17:00`."""
    times = re.search(r"[0-9].*$", part, re.DOTALL)
    days = part[: times.start()] if times else part
    if not times or not days.strip():
        raise TimesFault(
            f"{part[:40]!r} lacks its {'days' if times else 'times'}; write both, like Mon-Fri 08:00-20:00"
        )
    if not _TIMES.fullmatch(times[0]):
        raise TimesFault(f"{times[0][:40]!r} is no time of a day; write one like 08:00-20:00, several with commas")
    return list(_days(days.strip().rstrip(":"))), list(_spans(times[0]))


def _days(text: str) -> Iterator[int]:
    if text.lower() == "daily":
        yield from range(7)
        return
    for item in text.split(","):
        first, dash, last = (piece.strip() for piece in re.sub("[–-]", "-", item).partition("-"))
        begin, end = _day(first), _day(last) if dash else _day(first)
        yield from ((begin + number) % 7 for number in range((end - begin) % 7 + 1))


def _day(word: str) -> int:
    small = word.lower()
    for number, full in enumerate(_FULL):
        if small in (full, full[:3]):
            return number
    meant = near(word.capitalize(), (*NAMES, "Daily"))
    mend = (
        f"did you mean {meant.lower() if meant == 'Daily' else meant}?"
        if meant
        else f"allowed: {', '.join(NAMES)} and daily"
    )
    raise TimesFault(f"{word[:20]!r} is no day; {mend}")


def _spans(text: str) -> Iterator[tuple[int, int]]:
    for span in text.split(","):
        begin, end = (_minutes(clock) for clock in re.split("[–-]", span))
        if begin in (DAY, end):
            raise TimesFault(f"{span.strip()} ends when it begins; write 00:00-24:00 for a whole day")
        if end < begin:  # into the next day
            end += DAY
            if end - begin > MOST_OVERNIGHT:
                raise TimesFault(
                    f"{span.strip()} ends before it begins, and is too long for a night; "
                    f"write {_shown(0)}-{_shown(end - DAY)}, {_shown(begin)}-24:00 if both are meant"
                )
        yield begin, end


def _minutes(clock: str) -> int:
    hour, minute = map(int, clock.split(":"))
    if minute > 59 or hour * 60 + minute > DAY:
        raise TimesFault(f"{clock.strip()} is no time; write 00:00 to 24:00")
    return hour * 60 + minute


def _shown(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _apart(read: Week, within: int = 7) -> None:
    """No two spans at once, those into the next day and the next week included."""
    all_of_it = sorted(
        (day * DAY + begin, day * DAY + end) for day, spans in enumerate(read.days) for begin, end in spans
    )
    first = all_of_it[0]
    around = [(first[0] + 7 * DAY, first[1] + 7 * DAY)] if within == 7 else []
    for (begin, end), (next_begin, _) in zip(all_of_it, [*all_of_it[1:], *around], strict=False):
        if next_begin < end:
            day = f"{NAMES[begin // DAY]} " if within == 7 else ""
            here = f"{day}{_shown(begin % DAY)}-{_shown((end - 1) % DAY + 1)}"
            raise TimesFault(f"{here} overlaps with what begins at {_shown(next_begin % DAY)}; write each time once")
