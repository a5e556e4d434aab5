"""Counts by the hour, made from the rows: what changed is looked for, and its hours are counted again as a whole."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, literal, select, text, update

from ivr.store.count_tables import (
    DIMENSIONS,
    MEASURES,
    count_marks,
    daily_counts,
    daily_failures,
    hourly_counts,
    hourly_failures,
)
from ivr.store.counting_sql import ACCEPTED, CALLS, CHANGED, EARLIEST, OFFERED, hour_of
from ivr.store.database import Database, insert
from ivr.store.tables import UtcTime, stored

HOUR = timedelta(hours=1)
HOURS_AT_ONCE = 24
LATE = timedelta(minutes=10)  # a transaction is seen when it commits, with the time at which it began
AN_OFFER_TAKES = timedelta(hours=2)  # until it is accepted, and its text out at the first try, at the very most
ANY = ""  # channel: of calls and offers, and of a yes for which no text was tried
PATIENCE = "60s"  # nobody waits for a count; a caller would for two seconds
MARK, LOCK = "counts with read", 3  # a release before READ has a mark of its own, and may count beside this one

Key = tuple[Any, ...]
Marks = Literal["anew", "on", "not"]  # what a count does with the mark of how far the rows were looked through


@dataclass(frozen=True, slots=True)
class Counting:
    """What the rows do not say."""

    languages: Mapping[str, str]  # of the brands; what follows a tilde, as of simulated traffic, is no part of an id
    no_replies: Collection[str]  # texts that ask for no more texts, in capitals


@dataclass(frozen=True, slots=True)
class Hours:
    """What was counted in some hours: by hour and dimensions, and by these and the reason."""

    counts: Mapping[Key, Counter[str]]
    failures: Counter[Key]


def roll_up(
    database: Database,
    counting: Counting,
    now: datetime,
    moved: Callable[[int], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Count again what changed since the last time, or all the first time. How many hours that were.

    Counting only reads; what is written afterwards takes milliseconds, so that no caller waits for it.
    """
    with database.reads() as tx:
        mark = _mark(tx)
        hours = _changed(tx, min(mark, now) - LATE, now) if mark else _all(tx, now)
    return _recount(database, counting, hours, now, "on" if mark else "anew", moved, stopped)


def rebuild(
    database: Database,
    counting: Counting,
    now: datetime,
    since: datetime | None = None,
    moved: Callable[[int], None] = lambda _: None,
) -> int:
    """Count everything again from the rows, or what is from `since` on. Hours without rows any more stay as counted."""
    with database.reads() as tx:
        hours = _all(tx, now, since)
    return _recount(database, counting, hours, now, "not" if since else "anew", moved)


def begin_anew(tx: Connection) -> None:
    """Have the next count be one of everything: rows were written whose times are long past."""
    tx.execute(delete(count_marks).where(count_marks.c.name == MARK))


def how_many(database: Database, now: datetime, since: datetime | None = None) -> int:
    """The hours that a rebuild counts."""
    with database.reads() as tx:
        return len(_all(tx, now, since))


def upto(tx: Connection) -> datetime | None:
    """When the rows were looked through last."""
    return _mark(tx)


def count(tx: Connection, counting: Counting, hours: Sequence[datetime]) -> Hours:
    """The rows of some hours, counted."""
    _patient(tx)
    counts: dict[Key, Counter[str]] = {}
    failures: Counter[Key] = Counter()

    def key(row: Any, channel: str = ANY) -> Key:
        hour = datetime.fromisoformat(row.hour) if isinstance(row.hour, str) else row.hour
        language = counting.languages.get(row.brand.partition("~")[0], "")
        return (hour.replace(tzinfo=UTC), row.brand, row.branch, language, channel, row.dialled)

    for begin, end in _ranges(hours):
        bounds = {"begin": stored(begin, tx.dialect.name), "until": stored(end, tx.dialect.name)}
        for statement in (CALLS, OFFERED):
            for row in _rows(tx, statement, bounds):
                counts.setdefault(key(row), Counter())[row.measure] += row.many
        for row in _rows(tx, ACCEPTED, {**bounds, "no_replies": sorted(counting.no_replies)}):
            here = counts.setdefault(key(row, row.channel), Counter())
            for name in ("accepted", "sent", "delivered", "read", "replied", "conversation", "closed"):
                here[name] += getattr(row, name)
            if row.reason:
                here["failed"] += row.accepted
                failures[(*key(row, row.channel), row.reason)] += row.accepted
    return Hours(counts, failures)


def _recount(
    database: Database,
    counting: Counting,
    hours: Sequence[datetime],
    now: datetime,
    marks: Marks,
    moved: Callable[[int], None],
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    for place in range(0, len(hours), HOURS_AT_ONCE):
        some = hours[place : place + HOURS_AT_ONCE]
        with database.reads() as tx:
            counted = count(tx, counting, some)
        with database.writes() as tx:
            _replace(tx, some, counted)
            if marks == "anew":  # in order and without a gap: whoever goes on after us need not begin anew
                _set_mark(tx, min(some[-1] + HOUR, now))
        moved(len(some))
        if stopped():
            return place + len(some)
    with database.writes() as tx:
        if marks == "anew":
            _set_mark(tx, now)
        elif marks == "on":  # not where somebody wanted everything counted anew meanwhile
            tx.execute(update(count_marks).where(count_marks.c.name == MARK).values(upto=now))
    return len(hours)


def _replace(tx: Connection, hours: Sequence[datetime], counted: Hours) -> None:
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(LOCK, 0)))
    for table in (hourly_counts, hourly_failures):
        tx.execute(delete(table).where(table.c.hour.in_(hours)))
    names = ("hour", *DIMENSIONS)
    rows = [
        {**dict(zip(names, key, strict=True)), **{name: measured[name] for name in MEASURES}}
        for key, measured in counted.counts.items()
    ]
    if rows:
        tx.execute(hourly_counts.insert(), rows)
    lost = [
        {**dict(zip((*names, "reason"), key, strict=True)), "failed": many} for key, many in counted.failures.items()
    ]
    if lost:
        tx.execute(hourly_failures.insert(), lost)
    sum_up(tx, sorted({hour.replace(hour=0) for hour in hours}))


def sum_up(tx: Connection, days: Sequence[datetime]) -> None:
    """Days are their hours again."""
    for hourly, daily, measures in (
        (hourly_counts, daily_counts, MEASURES),
        (hourly_failures, daily_failures, ["failed"]),
    ):
        same = [column.name for column in hourly.columns if column.name not in ("hour", *measures)]
        tx.execute(delete(daily).where(daily.c.day.in_(days)))
        for day in days:
            of_day = (hourly.c.hour >= day, hourly.c.hour < day + 24 * HOUR)
            keys, sums = [hourly.c[name] for name in same], [func.sum(hourly.c[name]) for name in measures]
            summed = select(literal(day, UtcTime), *keys, *sums).where(*of_day).group_by(*keys)
            tx.execute(daily.insert().from_select(["day", *same, *measures], summed))


def _mark(tx: Connection) -> datetime | None:
    return tx.execute(select(count_marks.c.upto).where(count_marks.c.name == MARK)).scalar()


def _set_mark(tx: Connection, upto: datetime) -> None:
    written = insert(tx.dialect.name, count_marks).values(name=MARK, upto=upto)
    tx.execute(written.on_conflict_do_update(index_elements=["name"], set_={"upto": upto}))


def _all(tx: Connection, now: datetime, since: datetime | None = None) -> list[datetime]:
    _patient(tx)
    first = [row.first for row in tx.execute(text(EARLIEST).columns(first=UtcTime)) if row.first is not None]
    if not first:
        return []
    return list(_every(max(min(first), since) if since else min(first), now))


def _changed(tx: Connection, since: datetime, now: datetime) -> list[datetime]:
    """The hours in which anything may count otherwise: the last ones, and those of what came late."""
    _patient(tx)
    hours = set(_every(since - AN_OFFER_TAKES, now))
    bounds = {"since": stored(since, tx.dialect.name)}
    for row in tx.execute(text(CHANGED).columns(at=UtcTime), bounds):
        hours.add(_floor(row.at))
    return sorted(hours)


def _rows(tx: Connection, statement: str, values: Mapping[str, Any]) -> Iterable[Any]:
    return tx.execute(hour_of(statement, tx.dialect.name), values)


def _patient(tx: Connection) -> None:
    if tx.dialect.name == "postgresql":
        tx.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE}'"))


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _every(since: datetime, now: datetime) -> Iterator[datetime]:
    hour = _floor(since)
    while hour <= now:
        yield hour
        hour += HOUR


def _ranges(hours: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Hours in order, as few spans as they make."""
    begin = end = None
    for hour in hours:
        if hour != end:
            if begin is not None and end is not None:
                yield begin, end
            begin = hour
        end = hour + HOUR
    if begin is not None and end is not None:
        yield begin, end
