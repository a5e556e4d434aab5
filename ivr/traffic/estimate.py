"""The whole way from a file to ranked branches: what is asked, and what came out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from ivr.traffic import columns, opened, tally, times
from ivr.traffic.columns import Columns
from ivr.traffic.expect import Expected, Promise, expected
from ivr.traffic.field import Figure, figures
from ivr.traffic.judge import Judged, judged, ranked
from ivr.traffic.measured import Measured, measured
from ivr.traffic.opened import BrokenFile
from ivr.traffic.rows import Reader, Reading, Table, clock_for, table
from ivr.traffic.tally import Traffic
from ivr.traffic.times import Clock

_SWITCHBOARD = 0.02  # of the calls from one number are no person's


@dataclass(frozen=True)
class Asked:
    zone: tzinfo
    mapped: Mapping[str, str] = field(default_factory=dict)
    day_first: bool | None = None
    region: str = "US"
    figures: Mapping[str, Figure] = field(default_factory=lambda: figures({}))
    promise: Promise = field(default_factory=Promise)


@dataclass(frozen=True)
class Estimate:
    file: str
    encoding: str
    separator: str
    columns: Columns
    reading: Reading
    traffic: Traffic
    total: Measured
    branches: list[Judged]
    asked: Asked
    notes: list[str]
    joint: Measured | None = None  # the chosen as one branch, where there are several
    together: Expected | None = None

    @property
    def chosen(self) -> list[Judged]:
        """Those worth an offer, five at most: who begins with more learns from none."""
        return _chosen(self.branches)


def _chosen(branches: list[Judged]) -> list[Judged]:
    return [one for one in branches if one.verdict in ("first", "try")][:5]


def estimate(path: Path, asked: Asked, moved: Callable[[int], None] = lambda _bytes: None) -> Estimate:
    """Read, count, judge and rank; BrokenFile where the file cannot be used."""
    encoding = opened.encoding_of(path)
    found = table(str(path), opened.lines(path, encoding, moved), asked.mapped)
    clock = clock_for(found, asked.zone, asked.day_first)
    reader = Reader(found, clock, asked.region)
    traffic = tally.count(reader.calls(), clock.slot)
    _refuse_if_broken(path, reader.reading, traffic)
    order = ranked(_judge(measured(branch, traffic), asked) for branch in traffic.branches)
    joint = _joint(order, traffic)
    return Estimate(
        file=str(path),
        encoding=encoding,
        separator=found.separator,
        columns=found.columns,
        reading=reader.reading,
        traffic=traffic,
        total=measured(traffic.total, traffic),
        branches=order,
        asked=asked,
        notes=_notes(found, asked, clock, traffic),
        joint=joint,
        together=expected(joint, asked.figures, asked.promise) if joint else None,
    )


def _joint(order: list[Judged], traffic: Traffic) -> Measured | None:
    names = {one.branch.name for one in _chosen(order)}
    if len(names) < 2:
        return None
    return measured(tally.together("together", (one for one in traffic.branches if one.name in names)), traffic)


def _judge(branch: Measured, asked: Asked) -> Judged:
    return judged(branch, expected(branch, asked.figures, asked.promise))


def _refuse_if_broken(path: Path, reading: Reading, traffic: Traffic) -> None:
    calls = traffic.total.calls
    first = f"; {reading.named[0]}" if reading.named else ""
    if not calls:
        why = f"none of its {reading.read:,} rows is an incoming call" if reading.read else "no row follows the header"
        raise BrokenFile(f"{path}: {why}{first}.")
    if reading.broken > calls:
        raise BrokenFile(
            f"{path}: {reading.broken:,} of {reading.read:,} rows cannot be read, so the rest would mislead{first}."
        )


def _notes(found: Table, asked: Asked, clock: Clock, traffic: Traffic) -> list[str]:
    """What a reader must know before trusting a figure."""
    notes = [*_about_columns(found)]
    undecided = asked.day_first is None and times.day_first(found.samples) is None
    if undecided and times.has_short_dates(found.samples):
        notes.append("Dates like 3/4/2026 were read month first, and nothing in the file tells; else say --day-first.")
    if clock.assumed and str(asked.zone) == "UTC":
        notes.append("Times without a zone were read as UTC; if they are local, say --timezone.")
    if traffic.most_calls > max(_SWITCHBOARD * traffic.total.known, 50):
        notes.append(
            f"One number makes {traffic.most_calls:,} of the calls: a switchboard or a dialler, whose callers cannot "
            "be told apart. It counts as one caller who calls again."
        )
    if traffic.days < 28:
        notes.append(
            f"The file spans {traffic.days} day(s): the intervals know nothing of how weeks differ; take 3 months."
        )
    return notes


def _about_columns(found: Table) -> Iterator[str]:
    at = found.columns.at
    yield from columns.said_twice(found.columns)
    if "branch" not in at:
        yield "No column tells a call's branch, so all calls are one; say --map branch=COLUMN."
    elif columns.plain(found.columns.names["branch"]) in columns.DIALLED:
        yield "The number that was dialled stands for the branch; if a column tells more, --map branch=COLUMN."
    if found.twilio:
        yield "Twilio's log knows of no waiting: lengths hold the menu and the queue, who hung up is unknown."
    if "caller" not in at:
        yield "No column tells who called, so that repeats are unknown; say --map caller=COLUMN."
