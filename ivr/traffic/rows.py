"""From the lines of a file to calls: the header found, each row read, and what was wrong said with its line."""

import csv
import itertools
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from typing import NamedTuple

from ivr import numbers
from ivr.traffic import cells, columns, times
from ivr.traffic.cells import Remembered
from ivr.traffic.columns import Columns
from ivr.traffic.opened import SEPARATORS, BrokenFile
from ivr.traffic.times import Clock

_HEADER_WITHIN = 20  # reports put titles before the table
_SAMPLE = 2_000
_NAMED = 10
_HOPELESS = 10_000  # broken rows, after which a file that has more of them than others is not read to its end
_LINES_A_ROW = 100  # one with more is a quote that was never closed


class Call(NamedTuple):
    time: int
    branch: str
    caller: str | None
    length: float | None
    wait: float | None
    abandoned: bool | None


class Row(NamedTuple):
    """Its lines, and its cells; or, in their place, what is wrong with it."""

    first: int
    last: int
    cells: list[str] | str


@dataclass
class Reading:
    """What became of the rows that are no calls."""

    read: int = 0
    broken: int = 0
    outgoing: int = 0
    repeated: int = 0
    named: list[str] = field(default_factory=list)

    def refuse(self, row: "Row", why: str) -> None:
        self.broken += 1
        if len(self.named) < _NAMED:
            lines = f"line {row.first}" if row.first == row.last else f"lines {row.first}-{row.last}"
            self.named.append(f"{lines}: {why}")


@dataclass
class Table:
    """A file with its header read: what a column is, and the rows that follow, each with its lines."""

    columns: Columns
    header: list[str]
    separator: str
    rows: Iterator["Row"]
    samples: list[str]

    @property
    def twilio(self) -> bool:
        """Twilio's own list says `completed` of whoever was connected to anything: it knows of nobody who left."""
        return columns.plain(self.columns.names.get("id", "")) in ("sid", "callsid")


def table(path: str, lines: Iterator[str], mapped: Mapping[str, str]) -> Table:
    """The table in `lines`; BrokenFile when there is no header that tells the time of a call."""
    head = list(itertools.islice(lines, _HEADER_WITHIN))
    separator = separator_of(head)
    if head and head[0].lower().startswith("sep="):
        head[0] = "\n"
    rows = each_row(itertools.chain(head, lines), separator)
    first: list[str] = []
    for row in rows:
        if isinstance(row.cells, list):
            first = first or row.cells
            found = _header(row.cells, mapped)
            if found:
                return _sampled(found, row.cells, separator, rows)
        if row.last >= _HEADER_WITHIN:
            break
    raise BrokenFile(_no_header(path, first))


def _sampled(found: Columns, header: list[str], separator: str, rows: Iterator[Row]) -> Table:
    sampled = list(itertools.islice(rows, _SAMPLE))
    needed = max(found.at["time"], found.beside or 0)
    samples = [found.moment(row.cells) for row in sampled if isinstance(row.cells, list) and len(row.cells) > needed]
    return Table(found, header, separator, itertools.chain(sampled, rows), samples)


def _header(row: Sequence[str], mapped: Mapping[str, str]) -> Columns | None:
    names = [cells.bare(cell) for cell in row]
    try:
        found = columns.recognised(names, mapped)
    except columns.NoSuchColumn:
        if "time" in columns.recognised(names, {}).at and len(names) > 1:
            raise
        return None
    return found if "time" in found.at else None


def _no_header(path: str, first: Sequence[str]) -> str:
    there = cells.one_line(", ".join(cell.strip() for cell in first if cell.strip()))[:200] or "nothing"
    return (
        f"{path}: no column is known to hold the time of a call (first row: {there}); name it with --map time=COLUMN."
    )


def separator_of(head: Sequence[str]) -> str:
    """The one that most lines are split by into most cells."""
    if head and head[0].lower().startswith("sep=") and head[0].strip()[4:5] in tuple(SEPARATORS):
        return head[0].strip()[4]
    return max(SEPARATORS, key=lambda mark: sum(min(line.count(mark), 50) for line in head))


class _Lines:
    """Lines that can be given back: what a quote that is never closed has swallowed are rows of their own."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.row: list[str] = []
        self._lines, self._back = lines, deque[str]()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.row) == _LINES_A_ROW:
            raise csv.Error("unexpected end of data")
        self.row.append(self._back.popleft() if self._back else next(self._lines))
        return self.row[-1]

    def keep_first(self) -> None:
        self._back.extendleft(reversed(self.row[1:]))
        del self.row[1:]


def each_row(source: Iterator[str], separator: str) -> Iterator[Row]:
    lines, last = _Lines(source), 0
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        lines.row.clear()
        cells_there: list[str] | str
        try:
            cells_there = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.keep_first()
            never = "data" in str(error) or "limit" in str(error)
            cells_there = "a quote that is never closed" if never else f"quotes that do not fit ({error})"
        first, last = last + 1, last + len(lines.row)
        if cells_there:
            yield Row(first, last, cells_there)


class Reader:
    """Reads rows into calls, with what has been seen before remembered."""

    def __init__(self, table: Table, clock: Clock, region: str) -> None:
        self.reading = Reading()
        self._table, self._clock = table, clock
        there = table.columns
        self._needed = max(*there.at.values(), there.beside or 0) + 1
        self._length: Remembered[float | None] = Remembered(partial(cells.seconds, unit=there.unit("length")))
        self._wait: Remembered[float | None] = Remembered(partial(cells.seconds, unit=there.unit("wait")))
        self._caller: Remembered[str | None] = Remembered(partial(cells.caller, region=region))
        self._branch: Remembered[str] = Remembered(branch)
        self._incoming: Remembered[bool] = Remembered(cells.incoming)
        self._yes: Remembered[bool | None] = Remembered(cells.yes)
        self._left_by: Remembered[bool | None] = Remembered(cells.left)
        self._ids: set[int] = set()

    def calls(self) -> Iterator[Call]:
        reading = self.reading
        for row in self._table.rows:
            if row.cells == self._table.header:  # pages of an export that were put together
                continue
            reading.read += 1
            if reading.broken > _HOPELESS and reading.broken * 2 > reading.read:
                return
            if isinstance(row.cells, str):
                reading.refuse(row, row.cells)
                continue
            try:
                call = self._call(row.cells)
            except ValueError as error:
                reading.refuse(row, str(error))
                continue
            if call:
                yield call

    def _call(self, row: list[str]) -> Call | None:
        at, width = self._table.columns.at, self._table.columns.width
        if len(row) < self._needed or (len(row) > width and any(row[width:])):
            raise ValueError(f"{len(row)} cells, the header has {width}")
        if "direction" in at and not self._incoming[row[at["direction"]]]:
            self.reading.outgoing += 1
            return None
        time = self._time(row)
        length, wait = self._lengths(row, time)
        name = self._branch[row[at["branch"]]] if "branch" in at else "all calls"
        who = self._caller[row[at["caller"]]] if "caller" in at else None
        if "id" in at and self._again(row[at["id"]]):
            self.reading.repeated += 1
            return None
        return Call(time, name, who, length, wait, self._left(row))

    def _time(self, row: list[str]) -> int:
        text = self._table.columns.moment(row)
        try:
            return self._clock.read(text)
        except ValueError as error:
            raise ValueError(f"{_shown(text)}: {error}") from None

    def _lengths(self, row: list[str], began: int) -> tuple[float | None, float | None]:
        at = self._table.columns.at
        length = _told(self._length, row[at["length"]]) if "length" in at else None
        wait = _told(self._wait, row[at["wait"]]) if "wait" in at else None
        if "length" not in at and "ended" in at and row[at["ended"]].strip():
            length = float(self._clock.read(cells.bare(row[at["ended"]])) - began)
            if not 0 <= length <= cells.DAY:
                raise ValueError("it ends before it begins, or more than a day later")
        return length, wait

    def _left(self, row: list[str]) -> bool | None:
        at = self._table.columns.at
        if "abandoned" in at:
            return self._yes[row[at["abandoned"]]]
        return self._left_by[row[at["status"]]] if "status" in at and not self._table.twilio else None

    def _again(self, text: str) -> bool:
        """Whether a row with this id was read before: exports that overlap count no call twice."""
        if not text.strip():
            return False
        before = len(self._ids)
        self._ids.add(hash(text))  # the text itself would take twice the memory
        return len(self._ids) == before


def _told(read: Remembered[float | None], text: str) -> float | None:
    try:
        return read[text]
    except ValueError as error:
        raise ValueError(f"{_shown(text)}: {error}") from None


def branch(text: str) -> str:
    """A branch's name, fit to be shown, a number in full format."""
    return numbers.full(cells.one_line(cells.bare(text)))[:60] or "(none)"


def _shown(text: str) -> str:
    """As it may be printed: what is no time and has a phone number's digits is somebody's, in the wrong column."""
    private = ":" not in text and sum(character.isdigit() for character in text) >= 9
    return repr(numbers.masked(text) if private else text[:40])


def clock_for(table: Table, zone: tzinfo, day_first: bool | None) -> Clock:
    """Reads 3/4/2026 as the file's other dates tell, unless it is said."""
    told = times.day_first(table.samples) if day_first is None else day_first
    return Clock(zone, bool(told))
