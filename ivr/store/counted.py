"""What was counted, read: whole days by the day, and the hours at the edges of what is asked for."""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, case, false, func, or_, select

from ivr.store.count_tables import (
    DIMENSIONS,
    MEASURES,
    READ_IN,
    daily_counts,
    daily_failures,
    hourly_counts,
    hourly_failures,
)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
READABLE = "readable"  # what `read` is a share of: the delivered ones of the channels that tell
COUNTED = (*MEASURES, READABLE)
MOST_HOURS = 5_000  # named in one statement; SQLite takes 32,766 values, PostgreSQL 65,535
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """From `since` until before `until`, whole hours. `at`: where periods begin that are told apart."""

    since: datetime
    until: datetime
    only: Mapping[str, str]
    at: Sequence[datetime] = ()
    hourly: bool = False  # every hour is told apart


def read(tx: Connection, wanted: Wanted, by: Sequence[str]) -> dict[Key, Counter[str]]:
    """The counts, summed for each value of the columns `by`: brand, branch …"""
    found: dict[Key, Counter[str]] = {}
    for _, key, measured in _rows(tx, wanted, (hourly_counts, daily_counts), COUNTED, by, timed=False):
        found.setdefault(key, Counter(dict.fromkeys(COUNTED, 0))).update(measured)
    if not by:
        found.setdefault((), Counter(dict.fromkeys(COUNTED, 0)))
    return found


def over_time(tx: Connection, wanted: Wanted) -> Iterator[tuple[datetime, dict[str, int]]]:
    """The counts, each with a moment of the period that they are of."""
    wanted = replace(wanted, at=[moment for moment in wanted.at if wanted.since < moment < wanted.until])
    halved = {} if wanted.hourly else _halved(wanted)
    sides = {day: _fewer(day, at) for day, at in halved.items()}
    day_of = {hour: day for day, hours in sides.items() for hour in hours}
    told = {day: dict.fromkeys(COUNTED, 0) for day in halved}
    for hour, measured in _of_hours(tx, wanted, list(day_of)):
        yield hour, measured
        of_day = told[day_of[hour]]
        for name, many in measured.items():
            of_day[name] += many
    whole = replace(wanted, at=[moment for moment in wanted.at if _floor(moment) not in halved])
    for moment, _, measured in _rows(tx, whole, (hourly_counts, daily_counts), COUNTED, (), timed=True):
        if moment in halved:
            others = {name: many - told[moment][name] for name, many in measured.items()}
            yield (halved[moment] if sides[moment][0] == moment else moment), others
        else:
            yield moment, measured


def failures(tx: Connection, wanted: Wanted, by: Sequence[str] = ()) -> Counter[Key]:
    """How often each reason was why an accepted offer had no text, the reason last in its key."""
    found: Counter[Key] = Counter()
    tables = (hourly_failures, daily_failures)
    for _, key, measured in _rows(tx, wanted, tables, ("failed",), (*by, "reason"), timed=False):
        found[key] += measured["failed"]
    return found


def begun(tx: Connection, brand: str) -> dict[str, datetime]:
    """When each branch of a brand was first offered, to the hour."""
    first: dict[str, datetime] = {}
    columns = hourly_counts.c
    asked = select(columns.branch, func.min(columns.hour)).where(columns.brand == brand, columns.offered > 0)
    for branch, hour in tx.execute(asked.group_by(columns.branch)):
        first[branch] = hour
    return first


def choices(tx: Connection, wanted: Wanted) -> dict[str, list[str]]:
    """The values that each dimension had, on the days that are touched."""
    columns = daily_counts.c
    within = (columns.day >= _floor(wanted.since), columns.day < wanted.until)
    names = [columns[name] for name in DIMENSIONS]
    rows = tx.execute(select(*names).where(*within).distinct()).all()
    return {name: sorted({row[place] for row in rows}) for place, name in enumerate(DIMENSIONS)}


def _rows(
    tx: Connection, wanted: Wanted, tables: tuple[Table, Table], measures: Sequence[str], by: Sequence[str], timed: bool
) -> Iterator[tuple[Any, Key, dict[str, int]]]:
    hourly, daily = tables
    cut = _cut(wanted if timed else replace(wanted, at=()))
    for table, moment, within in (
        (daily, daily.c.day, _whole_days(daily.c.day, wanted, cut)),
        (hourly, hourly.c.hour, _hours(hourly.c.hour, wanted, cut)),
    ):
        keys = [*([moment] if timed else []), *(table.c[name] for name in by)]
        query = select(*keys, *(_sum(table, name) for name in measures)).where(within)
        query = query.where(*(table.c[name] == value for name, value in wanted.only.items()))
        for row in tx.execute(query.group_by(*keys) if keys else query):
            measured = dict(zip(measures, (value or 0 for value in row[len(keys) :]), strict=True))
            yield (row[0] if timed else None), tuple(row[timed : len(keys)]), measured


def _halved(wanted: Wanted) -> dict[datetime, datetime]:
    """The days, of UTC, that one beginning of a period cuts in two, and where.

    Of these the hours on one side are read, and the day's sum says what the other side has: midnight in New York is at
    four or five, and a year by day would else be read hour by hour.
    """
    edges = [at for at in wanted.at if at != _floor(at)]
    often = Counter(map(_floor, edges))
    ends = {_floor(edge) for edge in (wanted.since, wanted.until)}
    found = {_floor(at): at for at in edges if often[_floor(at)] == 1 and _floor(at) not in ends}
    left = replace(wanted, at=[at for at in edges if _floor(at) not in found])
    return {} if _cut(left) is None else found  # where all is read by hours anyway, nothing is gained


def _fewer(day: datetime, at: datetime) -> list[datetime]:
    """The hours of a day before or from `at` on, whichever are fewer."""
    before = math.ceil((at - day) / HOUR)
    return [day + hour * HOUR for hour in (range(before) if before <= 12 else range(before, 24))]


def _of_hours(tx: Connection, wanted: Wanted, hours: Sequence[datetime]) -> Iterator[tuple[datetime, dict[str, int]]]:
    table = hourly_counts
    for first in range(0, len(hours), MOST_HOURS):
        these = table.c.hour.in_(hours[first : first + MOST_HOURS])
        query = select(table.c.hour, *(_sum(table, name) for name in COUNTED)).where(these)
        query = query.where(*(table.c[name] == value for name, value in wanted.only.items()))
        for hour, *measured in tx.execute(query.group_by(table.c.hour)):
            yield hour, dict(zip(COUNTED, (value or 0 for value in measured), strict=True))


def _sum(table: Table, name: str) -> ColumnElement[int]:
    if name == READABLE:
        return func.sum(case((table.c.channel.in_(READ_IN), table.c.delivered), else_=0))
    return func.sum(table.c[name])


def _cut(wanted: Wanted) -> set[datetime] | None:
    """The days, of UTC, within which something begins or ends; None where these are most: all is read by hours then."""
    if wanted.hourly:
        return None
    edges = (wanted.since, wanted.until, *wanted.at)
    cut = {_floor(edge) for edge in edges if edge != _floor(edge)}
    return None if 2 * len(cut) > (wanted.until - wanted.since) / DAY else cut


def _whole_days(day: ColumnElement[datetime], wanted: Wanted, cut: Collection[datetime] | None) -> ColumnElement[bool]:
    if cut is None:
        return false()
    return and_(day >= wanted.since, day < _floor(wanted.until), day.not_in(cut))


def _hours(hour: ColumnElement[datetime], wanted: Wanted, cut: Collection[datetime] | None) -> ColumnElement[bool]:
    if cut is None:
        return and_(hour >= wanted.since, hour < wanted.until)
    spans = ((max(day, wanted.since), min(day + DAY, wanted.until)) for day in sorted(cut))
    return or_(false(), *(and_(hour >= begin, hour < end) for begin, end in spans))


def _floor(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
