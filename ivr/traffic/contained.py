"""Containment: by branch and month who called again, against whom, and the calls, minutes and money that this saved."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Protocol

from ivr.traffic import clusters
from ivr.traffic.cells import DAY
from ivr.traffic.intervals import Range
from ivr.traffic.measured import FEW
from ivr.traffic.occasions import SETTLED, WINDOWS, Event, Group, Joined, Occasion, occasions
from ivr.traffic.saved import CONTROL, DECLINED, Compared, compared
from ivr.traffic.talks import ALL, NOT_ASKED, Key, Load, Messaging, Talk, returning

__all__ = ["ALL", "Cell", "Containment", "Material", "Period", "Talk", "containment"]

COMPARED: tuple[Group, ...] = ("texted", "declined", "held")
LEAST_LENGTHS = 10  # calls of which the records tell the length, before their mean is used
LEAST_DAYS = 89  # three months


class Costs(Protocol):
    @property
    def currency(self) -> str: ...
    @property
    def call_minute(self) -> float: ...
    @property
    def call_length(self) -> int | None: ...
    @property
    def conversation(self) -> float: ...
    @property
    def text(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Period:
    """Moments in seconds of Unix. `ends`: what comes later is not known, by our rows or by the brand's records."""

    begins: int
    ends: int
    zone: tzinfo

    def month(self, at: int) -> str:
        return f"{datetime.fromtimestamp(at, self.zone):%Y-%m}"


@dataclass(frozen=True, slots=True)
class Material:
    """What is known. `withheld`: calls of numbers that cannot be told from others. `joined`: None without records."""

    events: Sequence[Event]
    talks: Sequence[Talk]  # all that ever were
    texts: Sequence[tuple[int, str]]  # when, and of which branch
    withheld: int = 0
    joined: Joined | None = None
    notes: Sequence[str] = ()  # of the records
    messaging: Messaging = NOT_ASKED


@dataclass(frozen=True, slots=True)
class Cell:
    """One branch in one month; ALL in the place of either. Figures are None where nothing can be said.

    `control`, `declined`: net calls saved, against the control group and against who declined. `minutes`, `money`: by
    the former where there is one. `notes`: what these figures lack.
    """

    branch: str
    month: str
    counts: Mapping[Group, int]
    again: Mapping[tuple[Group, str], Range | None]
    returning: Range | None
    control: Range | None
    declined: Range | None
    minutes: Range | None
    money: Range | None
    conversations: int
    texts: int
    load: Load | None  # of LivePerson's messaging
    notes: Sequence[str]

    @property
    def saved(self) -> Range | None:
        return self.control or self.declined


@dataclass(frozen=True)
class Containment:
    brand: str
    period: Period
    cells: Sequence[Cell]
    notes: Sequence[str]
    costs: Costs | None
    simulated: bool = False
    lengths: Mapping[str, tuple[float, str]] = field(default_factory=dict)  # seconds, and how that is known
    unread: str = ""  # why nothing is known of LivePerson's messaging

    def cell(self, branch: str, month: str) -> Cell | None:
        return next((cell for cell in self.cells if (cell.branch, cell.month) == (branch, month)), None)

    @property
    def branches(self) -> list[str]:
        return sorted({cell.branch for cell in self.cells} - {ALL})

    @property
    def months(self) -> list[str]:
        return sorted({cell.month for cell in self.cells} - {ALL})


def containment(
    brand: str, material: Material, period: Period, costs: Costs | None, simulated: bool = False
) -> Containment:
    """Everything that the report says."""
    others = material.joined.others if material.joined else []
    found = [one for one in occasions([*material.events, *others]) if period.begins <= one.at < period.ends]
    lengths = _lengths(material.joined, costs, {one.branch for one in found})
    counted = _Counted(period, material, costs, lengths)
    cells = [counted.cell(*key, ones) for key, ones in sorted(_by_cell(found, period).items())]
    notes = [*_notes(material, period, found), *material.messaging.notes]
    return Containment(brand, period, cells, notes, costs, simulated, lengths, material.messaging.unread)


def _by_cell(found: Iterable[Occasion], period: Period) -> dict[tuple[str, str], list[Occasion]]:
    by_cell: dict[tuple[str, str], list[Occasion]] = {}
    for one in found:
        month = period.month(one.at)
        for key in ((one.branch, month), (one.branch, ALL), (ALL, month), (ALL, ALL)):
            by_cell.setdefault(key, []).append(one)
    return by_cell


def _lengths(joined: Joined | None, costs: Costs | None, branches: Iterable[str]) -> dict[str, tuple[float, str]]:
    known: dict[str, tuple[float, str]] = {}
    for branch in branches:
        told = joined.lengths.get(branch, []) if joined else []
        if len(told) >= LEAST_LENGTHS:
            known[branch] = (sum(told) / len(told), f"the mean of {len(told):,} calls in the records")
        elif costs and costs.call_length:
            known[branch] = (float(costs.call_length), "call_length in the brand's file")
    return known


class _Counted:
    def __init__(
        self,
        period: Period,
        material: Material,
        costs: Costs | None,
        lengths: Mapping[str, tuple[float, str]],
    ) -> None:
        self._period, self._costs, self._lengths = period, costs, lengths
        over = period.ends - SETTLED
        here = [talk for talk in material.talks if period.begins <= talk.at < over]
        self._conversations = self._tally((talk.at, talk.branch) for talk in here)
        self._texts = self._tally((at, branch) for at, branch in material.texts if period.begins <= at < over)
        self._loads = material.messaging.loads
        self._returning = returning(material.talks, material.messaging.elsewhere, self._cells_of)

    def _cells_of(self, talk: Talk) -> Iterable[Key]:
        return self._keys(talk.at, talk.branch) if self._period.begins <= talk.at < self._period.ends else ()

    def _keys(self, at: int, branch: str) -> set[Key]:
        month = self._period.month(at)
        return {(branch, month), (branch, ALL), (ALL, month), (ALL, ALL)}

    def _tally(self, told: Iterable[tuple[int, str]]) -> Counter[Key]:
        tally: Counter[Key] = Counter()
        for at, branch in told:
            tally.update(self._keys(at, branch))
        return tally

    def cell(self, branch: str, month: str, ones: Sequence[Occasion]) -> Cell:
        over = [one for one in ones if one.at + SETTLED <= self._period.ends]
        control, declined = compared(over, CONTROL), compared(over, DECLINED)
        cell = Cell(
            branch=branch,
            month=month,
            counts=Counter(one.group for one in ones),
            again={(group, window): self._again(ones, group, window) for group in COMPARED for window in WINDOWS},
            returning=self._returning.get((branch, month)),
            control=control.saved(),
            declined=declined.saved(),
            minutes=None,
            money=None,
            conversations=self._conversations[branch, month],
            texts=self._texts[branch, month],
            load=self._loads.get((branch, month)),
            notes=(),
        )
        used = control if control.sides else declined
        notes = [*_cell_notes(cell, ones, over), *self._partly(cell, ones, used)]
        if control.sides and branch != ALL:
            notes += self._at_another_time(over)
        return self._priced(replace(cell, notes=notes), used)

    def _again(self, ones: Sequence[Occasion], group: Group, window: str) -> Range | None:
        """Of those of a group whose time is over: who called again within it."""
        within = WINDOWS[window]
        hits = [
            (one.caller, one.again is not None and one.again < within)
            for one in ones
            if one.group == group and one.at + within <= self._period.ends
        ]
        return clusters.rate(hits)

    def _partly(self, cell: Cell, ones: Sequence[Occasion], used: Compared) -> Iterable[str]:
        """What the figures of all branches lack, and those of one that is younger than the report."""
        if cell.branch == ALL and used.sides and used.left_out:
            yield f"savings without {', '.join(used.left_out)}: too few callers there to compare with"
        days = (self._period.ends - min(one.at for one in ones)) // DAY
        if cell.month == ALL and cell.branch != ALL and days < LEAST_DAYS:
            yield f"fewer than three months: {days} days are known of it"

    def _at_another_time(self, over: Sequence[Occasion]) -> Iterable[str]:
        """Where `share` began or ended within these months: seasons are compared, too."""
        heard = [one.at for one in over if one.group != "held"]
        held = [one.at for one in over if one.group == "held"]
        if min(held) > min(heard) + 2 * SETTLED:
            yield f"control group only since {day(min(held), self._period.zone)}"
        if max(held) < max(heard) - 2 * SETTLED:
            yield f"control group only until {day(max(held), self._period.zone)}"

    def _priced(self, cell: Cell, used: Compared) -> Cell:
        minutes = used.times({branch: seconds / 60 for branch, (seconds, _) in self._lengths.items()})
        if minutes is None or self._costs is None:
            return replace(cell, minutes=minutes)
        # What was spent on branches whose savings are not known is not theirs to pay.
        spent = self._spent(cell.branch, cell.month, self._costs)
        if cell.branch == ALL:
            spent -= sum(self._spent(branch, cell.month, self._costs) for branch in used.left_out)
        return replace(cell, minutes=minutes, money=clusters.times(minutes, self._costs.call_minute, spent))

    def _spent(self, branch: str, month: str, costs: Costs) -> float:
        return self._conversations[branch, month] * costs.conversation + self._texts[branch, month] * costs.text


def _cell_notes(cell: Cell, ones: Sequence[Occasion], over: Sequence[Occasion]) -> Iterable[str]:
    waiting = sum(one.group == "texted" for one in ones) - sum(one.group == "texted" for one in over)
    if waiting:
        yield f"of {waiting:,} texted calls the 7 days are not over; they are in no figure of savings"
    # Callers: many calls of a few tell no more than these few.
    texted, held = (len({one.caller for one in over if one.group == group}) for group in ("texted", "held"))
    if 0 < texted < FEW:
        yield f"small sample: {texted:,} texted callers"
    if cell.control is None:
        least = f"fewer than {clusters.LEAST} callers heard no offer" if held else "nobody was kept from the offer"
        yield f"no control group: {least}; against who declined, which is no fair comparison"
    elif held < FEW:
        yield f"small control group: {held:,} callers"


def _notes(material: Material, period: Period, found: Sequence[Occasion]) -> Iterable[str]:
    first = min((one.at for one in found), default=period.ends)
    days = (period.ends - first) // DAY
    if days < LEAST_DAYS:
        yield f"Fewer than three months: {days} days are known. Habits and seasons need three months at least."
    if material.withheld:
        many = len(material.events) + material.withheld
        share = f"{100 * material.withheld / many:.1f}%"
        yield f"{material.withheld:,} calls ({share}) came from withheld numbers; they cannot be followed."
    if material.joined is None:
        yield (
            "No records of the brand's other lines (--calls): whoever called again on a number that this server does "
            "not answer counts as not having called."
        )
    yield from material.notes
    if not material.talks:
        yield "No conversations are known here, so nothing is told of returning texters."


def day(at: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d}"
