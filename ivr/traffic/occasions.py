"""What a caller did over weeks: the call at which an offer was made, and the calls of the same number after it.

An occasion begins with a call that heard an offer, or would have but for `share`, and is over seven days later: what
the same number does until then belongs to it, and begins none of its own.
"""

from bisect import bisect_left
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple

from ivr.traffic.cells import DAY

WINDOWS: Mapping[str, int] = {"24 hours": DAY, "7 days": 7 * DAY, "90 days": 90 * DAY}
SETTLED = 7 * DAY  # seconds after which what an occasion came to is counted

# texted: accepted, and the text was not refused and did not fail. untexted: accepted, and it was or did.
# held: no offer was heard because of `share`. "": no offer was due, or it was another IVR's.
Group = Literal["texted", "untexted", "declined", "held", ""]


class Event(NamedTuple):
    """One call of a known number. `stays`: it remained a call that somebody had to take."""

    caller: str
    at: int  # seconds of Unix
    branch: str
    group: Group
    stays: bool


class Occasion(NamedTuple):
    """`again`: seconds until the number called again, if it did. `calls`: those within seven days that stayed calls."""

    caller: str
    at: int
    branch: str
    group: Group
    again: int | None
    calls: int


def occasions(events: Iterable[Event]) -> list[Occasion]:
    """The occasions in `events`, which come in any order."""
    found: list[Occasion] = []
    of_caller: list[Event] = []
    for event in sorted(events):
        if of_caller and event.caller != of_caller[0].caller:
            found += _of_one(of_caller)
            of_caller = []
        of_caller.append(event)
    return found + _of_one(of_caller)


def _of_one(events: Sequence[Event]) -> list[Occasion]:
    found, over = [], -1
    for place, event in enumerate(events):
        if not event.group or event.at < over:
            continue
        over = event.at + SETTLED
        rest = events[place + 1 :]
        calls = event.stays + sum(later.stays for later in rest if later.at < over)
        again = rest[0].at - event.at if rest else None
        found.append(Occasion(event.caller, event.at, event.branch, event.group, again, calls))
    return found


class Other(NamedTuple):
    """A call as the brand's own records have it."""

    caller: str
    at: int
    length: float | None


@dataclass(frozen=True, slots=True)
class Joined:
    """`lengths`: seconds, of our own calls by branch, as the records tell them."""

    others: list[Event]  # calls that never touched us
    matched: int
    lengths: dict[str, list[float]]


# The same call, as the records begin it: when it came in by their clock, or when it reached the queue behind us.
BEFORE, AFTER = 120, 600  # seconds
# Between the legs of a call that was handed on; nobody hangs up and dials again so fast.
BETWEEN = 5


def joined(events: Sequence[Event], records: Iterable[Other]) -> Joined:
    """Which of the records are calls of ours, by number and time, and which are others of numbers that we know.

    A record that begins before another of the same number is over is a leg of the same call, and counts no further.
    """
    ours: dict[str, list[Event]] = {}
    for event in sorted(events):
        ours.setdefault(event.caller, []).append(event)
    told = Joined([], 0, {})
    # Of two that begin at once the longer first: the other is a leg of it.
    in_order = sorted(records, key=lambda each: (each.caller, each.at, -(each.length or 0)))
    for caller, theirs in groupby(in_order, key=lambda each: each.caller):
        if caller in ours:
            told = _of_caller(ours[caller], theirs, told)
    return told


def _of_caller(known: Sequence[Event], records: Iterable[Other], told: Joined) -> Joined:
    taken: set[int] = set()
    others, matched, lengths = told.others, told.matched, told.lengths
    over, ours = float("-inf"), False  # when the call that goes on is, and whether it is one of ours
    for record in records:
        a_leg = record.at <= over + BETWEEN
        ended = record.at + record.length if record.length else float("-inf")
        over = max(over, ended) if a_leg else ended
        if a_leg and ours:
            continue
        place = _same(known, record, taken)
        if place is None:
            if not a_leg:
                others.append(Event(record.caller, record.at, "", "", True))
                ours = False
            continue
        if a_leg:  # what its first leg was taken for is a call of ours after all
            others.pop()
        matched, ours = matched + 1, True
        taken.add(place)
        event = known[place]
        if record.length and event.stays and event.branch:
            lengths.setdefault(event.branch, []).append(record.length)
    return Joined(others, matched, lengths)


def _same(known: Sequence[Event], record: Other, taken: Container[int]) -> int | None:
    """A call of ours that came while the record's went on, or about when it began."""
    place = bisect_left(known, record.at - AFTER, key=lambda event: event.at)
    while place < len(known) and known[place].at <= record.at + max(BEFORE, record.length or 0):
        if place not in taken:
            return place
        place += 1
    return None
