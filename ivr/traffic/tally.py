"""The count: calls by branch, hour and day, their lengths and waits, and who called again within seven days."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ivr.traffic.opened import BrokenFile
from ivr.traffic.rows import Call

WEEK = 7 * 86_400
MOST_BRANCHES = 1_000
MOST_CALLS = 5_000_000  # what fits into a few GB

_TIME_BITS, _BRANCH_BITS = 34, 10  # of a call written as one number, so that sorting is quick and small


def floats() -> "array[float]":
    return array("f")


@dataclass
class Branch:
    """What was counted of one branch."""

    name: str
    calls: int = 0
    known: int = 0  # calls from a number that can be told from others
    told: int = 0  # calls of which it is said whether they were abandoned
    abandoned: int = 0
    followable: int = 0  # known callers' calls, seven days before the last of the file or earlier
    followed: int = 0  # of these: the same caller called again within seven days, whichever branch
    lengths: "array[float]" = field(default_factory=floats)  # of calls that were not abandoned
    waits: "array[float]" = field(default_factory=floats)
    hours: list[int] = field(default_factory=lambda: [0] * 168)  # from Monday's first
    days: Counter[int] = field(default_factory=Counter)

    def add(self, call: Call, hour: int, day: int) -> None:
        self.calls += 1
        self.hours[hour] += 1
        self.days[day] += 1
        self.known += call.caller is not None
        if call.abandoned is not None:
            self.told += 1
            self.abandoned += call.abandoned
        if call.length is not None and not call.abandoned:
            self.lengths.append(call.length)
        if call.wait is not None:
            self.waits.append(call.wait)


@dataclass(frozen=True, slots=True)
class Traffic:
    """The whole file: its branches, the busiest first, and the local days from the first to the last."""

    branches: list[Branch]
    total: Branch
    first_day: int
    last_day: int
    most_calls: int = 0  # from one number

    @property
    def days(self) -> int:
        return self.last_day - self.first_day + 1

    @property
    def weekdays(self) -> list[int]:
        """How many Mondays, Tuesdays … the file spans."""
        return [len(range(self.first_day + (day - (self.first_day - 1)) % 7, self.last_day + 1, 7)) for day in range(7)]


def count(calls: Iterable[Call], slot: Callable[[int], tuple[int, int]]) -> Traffic:
    """Everything that is counted, whatever the order of the calls."""
    there: dict[str, int] = {}
    branches: list[Branch] = []
    callers: dict[str, int] = {}
    seen: list[int] = []
    last = 0
    for number, call in enumerate(calls):
        index = there.get(call.branch)
        if index is None:
            index = _place(call.branch, there, branches)
        hour, day = slot(call.time)
        branches[index].add(call, hour, day)
        last = max(last, call.time)
        if call.caller is not None:
            who = callers.setdefault(call.caller, len(callers))
            seen.append((who << _TIME_BITS | call.time) << _BRANCH_BITS | index)
        if number >= MOST_CALLS:
            raise BrokenFile(f"More than {MOST_CALLS:,} calls; estimate from a part of the time.")
    most = _follow(seen, branches, last - WEEK)
    days = [day for branch in branches for day in (min(branch.days), max(branch.days))]
    ordered = sorted(branches, key=lambda branch: (-branch.calls, branch.name))
    return Traffic(ordered, together("all calls", ordered), min(days, default=1), max(days, default=0), most)


def _place(name: str, there: dict[str, int], branches: list[Branch]) -> int:
    """`Billing` and `BILLING` are one branch, called as it is met first."""
    folded = name.casefold()
    if folded not in there:
        if len(branches) == MOST_BRANCHES:
            raise BrokenFile(
                f"More than {MOST_BRANCHES:,} branches; name the column that tells them, with --map branch=COLUMN."
            )
        there[folded] = len(branches)
        branches.append(Branch(name))
    there[name] = there[folded]
    return there[name]


def _follow(seen: list[int], branches: list[Branch], until: int) -> int:
    """Count who called again; the most calls from one number.

    Later calls than `until` are not asked: their seven days are not all in the file.
    """
    seen.sort()
    mask, times = (1 << _BRANCH_BITS) - 1, (1 << _TIME_BITS) - 1
    for place, packed in enumerate(seen):
        call = packed >> _BRANCH_BITS
        if call & times > until:
            continue
        branch = branches[packed & mask]
        branch.followable += 1
        if place + 1 < len(seen):
            following = seen[place + 1] >> _BRANCH_BITS
            branch.followed += following - call <= WEEK and following >> _TIME_BITS == call >> _TIME_BITS
    return max(Counter(packed >> (_TIME_BITS + _BRANCH_BITS) for packed in seen).values(), default=0)


def together(name: str, branches: Iterable[Branch]) -> Branch:
    """Several branches as one."""
    total = Branch(name)
    for branch in branches:
        for counted in ("calls", "known", "told", "abandoned", "followable", "followed"):
            setattr(total, counted, getattr(total, counted) + getattr(branch, counted))
        total.lengths.extend(branch.lengths)
        total.waits.extend(branch.waits)
        total.hours = [one + other for one, other in zip(total.hours, branch.hours, strict=True)]
        total.days.update(branch.days)
    return total
