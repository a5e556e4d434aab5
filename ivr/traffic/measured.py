"""A branch's figures from its counts: a week's calls, lengths, waits, who left, who called again."""

from dataclasses import dataclass

from ivr.traffic.intervals import Range, median, percentile, poisson, student, wilson
from ivr.traffic.tally import Branch, Traffic

WHOLE_WEEKS = 4  # fewer tell nothing of how weeks differ
FEW = 100  # calls of which a figure is known; a rate from fewer is marked where it stands


@dataclass(frozen=True, slots=True)
class Measured:
    """None is what the file does not tell."""

    name: str
    calls: int
    weekly: Range
    length: Range | None  # the middle, in seconds
    mean_length: Range | None
    spread: float | None  # the length that 90 % stay under, in middles
    wait: Range | None
    abandoned: Range | None
    again: Range | None
    known: Range | None
    busiest: int  # hour of the week
    busiest_calls: Range  # in that hour of one week
    hours: list[float]  # calls in each hour of one week
    office: float  # the share of calls Monday to Friday from 8 to 18


def measured(branch: Branch, traffic: Traffic) -> Measured:
    lengths, waits = sorted(branch.lengths), sorted(branch.waits)
    middle, weekdays = median(lengths), traffic.weekdays
    hours = [calls / max(1, weekdays[hour // 24]) for hour, calls in enumerate(branch.hours)]
    busiest = max(range(168), key=lambda hour: (hours[hour], -hour))
    return Measured(
        name=branch.name,
        calls=branch.calls,
        weekly=weekly(branch, traffic),
        length=middle,
        mean_length=student(lengths, "calls") if len(lengths) >= WHOLE_WEEKS else None,
        spread=percentile(lengths, 90) / middle.middle if middle and middle.middle else None,
        wait=median(waits),
        abandoned=wilson(branch.abandoned, branch.told),
        again=wilson(branch.followed, branch.followable),
        known=wilson(branch.known, branch.calls) if traffic.total.known else None,
        busiest=busiest,
        busiest_calls=poisson(branch.hours[busiest], max(1, weekdays[busiest // 24])),
        hours=hours,
        office=sum(branch.hours[day * 24 + hour] for day in range(5) for hour in range(8, 18)) / branch.calls,
    )


def weekly(branch: Branch, traffic: Traffic) -> Range:
    """A week's calls: from whole weeks, counted from the last day back, where there are four; else all as one count.

    The day on which an export was made is seldom whole, nor is the first; in many weeks that is little.
    """
    weeks = traffic.days // 7
    if weeks < WHOLE_WEEKS:
        return poisson(branch.calls, traffic.days / 7)
    counts = [0.0] * weeks
    for day, calls in branch.days.items():
        week = (traffic.last_day - day) // 7
        if week < weeks:
            counts[week] += calls
    return student(counts, "weeks")
