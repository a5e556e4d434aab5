"""Goals: a line to be above, and whether that is met, with certainty or by chance."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

from sqlalchemy import Connection

from ivr.flow.model import Flow
from ivr.funnel.asked import Asked
from ivr.funnel.told import Funnel, Line, funnel
from ivr.traffic.intervals import poisson, wilson


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


def judged(whose: str, goal: Goal, line: Line, days: float) -> Judged:
    """Whether `line` reached its goal over `days`: for sure where its 95 % interval lies on one side."""
    many = deflected(line)
    if goal.rate is not None:
        said, found = f"{goal.rate:.0%} of offers", wilson(many, max(many, line.measured["offered"]))
        aim, shown = goal.rate, "{:.1%}"
    else:
        said, found = f"{goal.a_week:,} a week", poisson(many, days / 7) if days > 0 else None
        aim, shown = float(goal.a_week or 0), "{:,.0f}"
    if found is None:
        return Judged(whose, said, "-", "no offers")
    reached = f"{shown.format(found.middle)} ({shown.format(found.low)} to {shown.format(found.high)})"
    if found.low >= aim:
        return Judged(whose, said, reached, "met")
    if found.high < aim:
        return Judged(whose, said, reached, "missed")
    return Judged(whose, said, reached, "met so far" if found.middle >= aim else "missed so far")


def judged_all(goals: Mapping[str, Goal], by_branch: Funnel, brand_goal: Goal | None) -> list[Judged]:
    """A brand's goals: of its branches, and of all together."""
    days = _gone_by(by_branch)
    lines = {line.label: line for line in by_branch.lines}
    told = [
        judged(name, goal, lines.get(name, Line(name, by_branch.total.measured.__class__())), days)
        for name, goal in goals.items()
    ]
    if brand_goal:
        told.append(judged("all branches", brand_goal, by_branch.total, days))
    return told


def _gone_by(one: Funnel) -> float:
    """Days: nobody calls in what is left of today, nor tomorrow."""
    end = min(one.asked.until, one.upto) if one.upto else one.asked.until
    return max(0.0, (end - one.asked.since) / timedelta(days=1))


def of_flow(tx: Connection, flow: Flow | None, question: Asked) -> tuple[list[Judged], float | None]:
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
    return judged_all(goals, funnel(tx, question.told_by("branch")), whole), shown.rate if shown else None
