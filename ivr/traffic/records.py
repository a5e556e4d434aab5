"""A brand's own records of calls, read for who called again on lines that this server does not answer."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from pathlib import Path

from ivr.traffic import columns, opened
from ivr.traffic.cells import DAY
from ivr.traffic.contained import Material, Period, day
from ivr.traffic.occasions import Other, joined
from ivr.traffic.opened import BrokenFile
from ivr.traffic.rows import Reader, clock_for, table

_FEW_JOINED = 0.5  # of our calls in the time of the records


@dataclass(frozen=True, slots=True)
class Asked:
    zone: tzinfo
    mapped: Mapping[str, str]
    region: str
    now: int | None = None  # what is a day later than this is a mistake


@dataclass
class Told:
    """`others`: calls of numbers that we know. `begins`, `ends`: the first and last call of anybody."""

    others: list[Other] = field(default_factory=list)
    begins: int = 0
    ends: int = 0
    said: list[str] = field(default_factory=list)  # what could not be read, by line


def read(path: Path, asked: Asked, known: Collection[str], moved: Callable[[int], None] = lambda _bytes: None) -> Told:
    """The calls of `known` callers in the file; BrokenFile where it cannot be used."""
    try:
        encoding = opened.encoding_of(path)
        found = table(str(path), opened.lines(path, encoding, moved), asked.mapped)
        if "caller" not in found.columns.at:
            raise BrokenFile(
                f"{path}: no column is known to hold the caller's number; name it with --map caller=COLUMN."
            )
        reader = Reader(found, clock_for(found, asked.zone, None), asked.region)
        told, to_come = _taken(reader, known, asked.now)
    except OSError as error:
        raise BrokenFile(f"{path}: cannot be read ({error.strerror}).") from None
    reading = reader.reading
    if reading.broken * 2 > reading.read or not told.ends:
        first = f" ({reading.named[0]})" if reading.named else ""
        raise BrokenFile(
            f"{path}: {reading.broken:,} of {reading.read:,} rows cannot be read{first}; check the columns."
        )
    told.said = [*columns.said_twice(found.columns), *reading.named]
    if reading.broken:
        told.said.append(f"{reading.broken:,} of {reading.read:,} rows cannot be read and are left out.")
    if to_come:
        told.said.append(f"{to_come:,} of {reading.read:,} rows are of days to come and are left out.")
    return told


def _taken(reader: Reader, known: Collection[str], now: int | None) -> tuple[Told, int]:
    """And how many rows are of days to come, by which the records would seem to reach further than they do."""
    told, to_come = Told(), 0
    for call in reader.calls():
        if now is not None and call.time > now + DAY:
            to_come += 1
            continue
        told.begins = min(told.begins or call.time, call.time)
        told.ends = max(told.ends, call.time)
        if call.caller and call.caller in known:
            told.others.append(Other(call.caller, call.time, call.length))
    return told, to_come


def with_records(material: Material, told: Told, period: Period) -> tuple[Material, Period]:
    """The material joined with the records; the period ends where these do, since later calls are not in them."""
    found = joined(material.events, told.others)
    ends = min(period.ends, told.ends)
    here = [event for event in material.events if told.begins <= event.at < ends]
    notes = []
    if told.ends < period.ends:
        notes.append(f"The records end on {day(told.ends, period.zone)}, and so does this report.")
    if told.begins > period.begins + DAY:
        notes.append(
            f"The records begin on {day(told.begins, period.zone)}: calls to other lines before that day are missing."
        )
    if here and found.matched < _FEW_JOINED * len(here):
        notes.append(
            f"Of {len(here):,} calls here only {found.matched:,} are in the records too. That is right where the "
            "records are of other lines; else times or numbers are written otherwise there, and calls count twice."
        )
    events = [event for event in material.events if event.at < ends]
    return replace(material, events=events, joined=found, notes=notes), replace(period, ends=ends)
