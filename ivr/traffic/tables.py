"""The estimate for other programs: everything as JSON, a line a branch as rows for CSV."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import Any

from ivr.traffic.estimate import Estimate
from ivr.traffic.intervals import Range
from ivr.traffic.judge import Judged
from ivr.traffic.page import goals
from ivr.traffic.skeleton import skeleton

_RANGES = ("weekly", "length", "wait", "abandoned", "again", "known")
_EXPECTED = ("deflections", "conversations", "agents")


def as_json(one: Estimate) -> dict[str, Any]:
    """Lengths are seconds, rates are shares of one, `hours` are calls in each hour of a week from Monday's first."""
    traffic, reading = one.traffic, one.reading
    return {
        "file": one.file,
        "encoding": one.encoding,
        "columns": dict(one.columns.names),
        "timezone": str(one.asked.zone),
        "first_day": date.fromordinal(traffic.first_day).isoformat(),
        "last_day": date.fromordinal(traffic.last_day).isoformat(),
        "calls": traffic.total.calls,
        "rows": {
            "read": reading.read,
            "broken": reading.broken,
            "outgoing": reading.outgoing,
            "repeated": reading.repeated,
        },
        "broken_rows": reading.named,
        "notes": one.notes,
        "figures": {
            option: {"low": figure.low, "high": figure.high, "what": figure.what, "origin": figure.origin}
            for option, figure in one.asked.figures.items()
        },
        "promise": asdict(one.asked.promise),
        "hours": one.total.hours,
        "branches": [_branch(place, branch) for place, branch in enumerate(one.branches, 1)],
        "together": {name: _range(getattr(one.together, name)) for name in _EXPECTED} if one.together else None,
        "skeleton": skeleton(one.chosen, one.asked.promise),
    }


def _branch(place: int, one: Judged) -> dict[str, Any]:
    branch = one.branch
    return {
        "rank": place,
        "name": branch.name,
        "verdict": one.verdict,
        "score": round(one.score, 3),
        "calls": branch.calls,
        **{name: _range(getattr(branch, name)) for name in _RANGES},
        "length_spread": branch.spread,
        "busiest_hour": branch.busiest,
        "hours": branch.hours,
        "expected": {name: _range(getattr(one.expected, name)) for name in _EXPECTED},
        "goals": goals(one),
        "reasons": [asdict(criterion) for criterion in one.criteria],
    }


def _range(figure: Range | None) -> dict[str, Any] | None:
    return None if figure is None else asdict(figure)


def as_rows(one: Estimate) -> Iterator[list[object]]:
    """A header, and a row a branch."""
    figures = (*_RANGES, *_EXPECTED)
    ends = [f"{name}{end}" for name in figures for end in ("", "_low", "_high", "_method")]
    yield ["rank", "branch", "verdict", "calls", *ends, "goals"]
    for place, judged in enumerate(one.branches, 1):
        there = [getattr(judged.branch, name) for name in _RANGES] + [
            getattr(judged.expected, name) for name in _EXPECTED
        ]
        cells = [cell for figure in there for cell in _cells(figure)]
        yield [place, judged.branch.name, judged.verdict, judged.branch.calls, *cells, goals(judged)]


def _cells(figure: Range | None) -> list[object]:
    if figure is None:
        return [None, None, None, None]
    return [*(round(end, 4) for end in (figure.middle, figure.low, figure.high)), figure.method]
