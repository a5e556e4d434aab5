"""A simulated world: months of calls by callers who do as is set, so that what a report finds can be judged."""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from ivr.traffic.cells import DAY
from ivr.traffic.occasions import Event, Group

MOST_CALLERS = 80_000  # numbers 555-0100 to 555-0199 of each area code: kept for fiction, nobody has them
_LAST_CALL_AGAIN = 6.9 * DAY


class Habit(NamedTuple):
    """How the callers of a branch are. Rates are of an occasion; `peaks` are hours of the day."""

    branch: str
    weight: float  # of the brand's calls
    accept: float
    again: float  # call again within seven days, when nobody texted them
    weekend: float  # of a weekday's calls
    peaks: tuple[float, float]
    season: float  # how much the year's middle brings more


@dataclass(frozen=True, slots=True)
class World:
    """`containment`: who was texted calls again within seven days with a chance of 1 less this, and nobody else's."""

    habits: Sequence[Habit]
    until: datetime
    days: int
    zone: tzinfo
    containment: float
    share: float
    lot: Callable[[str], float]
    failing: float = 0.03  # of texts
    reply: float = 0.62
    left: float = 0.05  # who hangs up at the menu
    callers: Sequence[str] = field(default_factory=list)


class Simulated(NamedTuple):
    caller: str
    at: datetime
    branch: str  # "" for who left at the menu
    group: Group
    replied: bool


def habits(branches: Sequence[str], chance: random.Random) -> list[Habit]:
    """Branches with different habits; the first has most calls."""
    return [
        Habit(
            branch=name,
            weight=1 / (1 + place) ** 0.7,
            accept=round(chance.uniform(0.14, 0.32), 3),
            again=round(chance.uniform(0.06, 0.16), 3),
            weekend=round(chance.uniform(0.1, 0.7), 2),
            peaks=(round(chance.uniform(9, 11.5), 1), round(chance.uniform(14, 18), 1)),
            season=round(chance.uniform(-0.25, 0.35), 2),
        )
        for place, name in enumerate(branches)
    ]


def number(place: int) -> str:
    """The fictional number at a place, 0 to MOST_CALLERS."""
    area, line = divmod(place, 100)
    return f"+1{200 + area}55501{line:02d}"


def numbers(calls: int) -> list[str]:
    return [number(place) for place in range(min(MOST_CALLERS, max(200, calls * 2)))]


def calls(world: World, wanted: int, chance: random.Random) -> Iterator[Simulated]:
    """As many calls, in any order; the same for the same chance."""
    starts = [_Days(world, habit) for habit in world.habits]
    weights = [habit.weight for habit in world.habits]
    callers = world.callers or numbers(wanted)
    left = wanted
    while left > 0:
        (place,) = chance.choices(range(len(starts)), weights)
        caller = callers[int(len(callers) * chance.random() ** 1.15)]
        for call in _occasion(world, world.habits[place], caller, starts[place].moment(chance), chance):
            if left > 0 and call.at < world.until:
                left -= 1
                yield call


def _occasion(world: World, habit: Habit, caller: str, at: datetime, chance: random.Random) -> Iterator[Simulated]:
    """A caller's matter: the first call, and the one after it where that did not settle it."""
    if chance.random() < world.left:
        yield Simulated(caller, at, "", "", False)
        return
    held = world.lot(caller) >= world.share
    group: Group = "held" if held else "declined"
    if not held and chance.random() < habit.accept:
        group = "untexted" if chance.random() < world.failing else "texted"
    again = 1 - world.containment if group == "texted" else habit.again
    yield Simulated(caller, at, habit.branch, group, group == "texted" and chance.random() < world.reply)
    if chance.random() < again:
        # Who comes back wants a person: the offer is not accepted a second time.
        waited = min(_LAST_CALL_AGAIN, 600 + chance.expovariate(1 / (1.3 * DAY)))
        yield Simulated(caller, at + timedelta(seconds=waited), habit.branch, "held" if held else "declined", False)


class _Days:
    """When calls of a branch come: by season, weekday and hour."""

    def __init__(self, world: World, habit: Habit) -> None:
        self._zone, self._habit = world.zone, habit
        last = world.until.astimezone(world.zone).date()
        self._days = [last - timedelta(days=back) for back in range(world.days, 0, -1)]
        total, self._sums = 0.0, []
        for day in self._days:
            season = 1 + habit.season * math.sin(math.pi * (day.timetuple().tm_yday / 365))
            total += season * (habit.weekend if day.weekday() >= 5 else 1.12 if day.weekday() == 0 else 1.0)
            self._sums.append(total)

    def moment(self, chance: random.Random) -> datetime:
        (day,) = chance.choices(self._days, cum_weights=self._sums)
        while not 7 <= (hour := chance.gauss(chance.choice(self._habit.peaks), 1.7)) < 21:
            pass
        midnight = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return midnight + timedelta(seconds=int(hour * 3600))


def events(simulated: Sequence[Simulated]) -> list[Event]:
    """The same calls, as a report reads them."""
    return [
        Event(call.caller, int(call.at.timestamp()), call.branch, call.group, call.group != "texted")
        for call in simulated
    ]


def saved(world: World, habit: Habit) -> float:
    """The calls that an offer truly saves in the mean, for each that is heard.

    A texted caller's own call does not stay one, and neither do those that would have followed; 1 less containment do.
    """
    texted = habit.accept * (1 - world.failing)
    return texted * (habit.again + world.containment)
