"""Goals: a line to be above, and whether that is met, with certainty or by chance."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, Protocol

from sqlalchemy import Connection

from ivr.flow.model import Flow
from ivr.funnel.asked import Asked
from ivr.funnel.told import Funnel, Line, funnel
from ivr.store import counted
from ivr.traffic.intervals import poisson, wilson

_WEEK = 7  # days


class Goal(Protocol):
    """As a brand's file says it: one of the two."""

    @property
    def rate(self) -> float | None:
        """Deflections as a share of the offers that were heard."""

    @property
    def a_week(self) -> int | None:
        """Deflections."""


Verdict = Literal["met", "missed", "met so far", "missed so far", "no offers"]


@dataclass(frozen=True, slots=True)
class Judged:
    whose: str
    goal: str
    reached: str
    verdict: Verdict


def deflected(line: Line) -> int:
    """Accepted offers whose text was neither refused nor lost."""
    return line.measured["accepted"] - line.measured["failed"]


def judged(whose: str, goal: Goal, line: Line, days: int) -> Judged:
    """Whether `line` reached its goal over `days`: for sure where its 95 % interval lies on one side.

    Of less than a week nothing is sure by the week: its days differ.
    """
    many = deflected(line)
    if goal.rate is not None:
        said, found = f"{goal.rate:.0%} of offers", wilson(many, max(many, line.measured["offered"]))
        aim, shown = goal.rate, "{:.1%}"
    elif days < 1:
        return Judged(whose, f"{goal.a_week:,} a week", "-", "no offers")
    else:
        said, found = f"{goal.a_week:,} a week", poisson(many, days / _WEEK)
        aim, shown = float(goal.a_week or 0), "{:,.0f}"
    if found is None:
        return Judged(whose, said, "-", "no offers")
    reached = f"{shown.format(found.middle)} ({shown.format(found.low)} to {shown.format(found.high)})"
    sure = goal.rate is not None or days >= _WEEK
    if found.low >= aim and sure:
        return Judged(whose, said, reached, "met")
    if found.high < aim and sure:
        return Judged(whose, said, reached, "missed")
    return Judged(whose, said, reached, "met so far" if found.middle >= aim else "missed so far")


def judged_all(
    goals: Mapping[str, Goal], by_branch: Funnel, brand_goal: Goal | None, since: "Since | None" = None
) -> list[Judged]:
    """A brand's goals: of its branches, and of all together. `since`: for goals by the week, where days are missing."""
    weekly = since or Since(by_branch, {})

    def told(whose: str, branch: str | None, goal: Goal) -> Judged:
        of = weekly.days_of if goal.rate is None else by_branch
        lines = {line.label: line for line in of.lines}
        line = of.total if branch is None else lines.get(branch) or Line(branch, Counter())
        return judged(whose, goal, line, weekly.many(branch))

    listed = [told(name, name, goal) for name, goal in goals.items()]
    return [*listed, told("all branches", None, brand_goal)] if brand_goal else listed


@dataclass(frozen=True, slots=True)
class Since:
    """Whole days that are over, and the day on which each branch began, as far as that is known."""

    days_of: Funnel
    begun: Mapping[str, date] | None  # none: no branch ever did

    def many(self, branch: str | None) -> int:
        """Days on which a branch could be offered; any branch, for None."""
        asked, begun = self.days_of.asked, self.begun
        if begun is None:
            return 0
        first = begun.get(branch) if branch else min(begun.values(), default=None)
        if first is None:
            return asked.days if not begun else 0
        return max(0, (asked.last - max(asked.first, first)).days + 1)


def _since(tx: Connection, flow: Flow, question: Asked, now: datetime) -> Since:
    """Today is left out: it has but begun. Unless nothing else was asked for."""
    brand = question.only.get("brand", flow.id)
    begun = {branch: at.astimezone(question.zone).date() for branch, at in counted.begun(tx, brand).items()}
    last = min(question.last, now.astimezone(question.zone).date() - timedelta(days=1))
    whole = replace(question, last=max(last, question.first)).told_by("branch")
    return Since(funnel(tx, whole), begun or None)


def of_flow(tx: Connection, flow: Flow | None, question: Asked, now: datetime) -> tuple[list[Judged], float | None]:
    """The goals of the brand that is asked for, or of its one branch; and the rate that a chart has a line for."""
    narrowed = set(question.only) - {"brand"}
    if flow is None or narrowed - {"branch"}:
        return [], None
    one = question.only.get("branch")
    goals: dict[str, Goal] = {
        name: goal
        for name, branch in flow.branches.items()
        if one in (None, name) and (goal := branch.goal) is not None
    }
    whole: Goal | None = flow.goal if one is None else None
    if not goals and whole is None:
        return [], None
    shown = goals.get(one) if one else whole
    since = _since(tx, flow, question, now)
    told = judged_all(goals, funnel(tx, question.told_by("branch")), whole, since)
    return told, shown.rate if shown else None
