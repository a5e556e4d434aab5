"""The funnel for other programs: rows for CSV, the same as JSON."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ivr.funnel.goals import Judged
from ivr.funnel.told import RATES, Funnel, Line
from ivr.store.count_tables import MEASURES


def as_rows(one: Funnel) -> Iterator[list[object]]:
    """A header, and a row a line; rates are shares of one, with their intervals' ends; a channel has no calls."""
    rates = [f"{step}_rate{end}" for step in RATES for end in ("", "_low", "_high")]
    yield [one.asked.by, *MEASURES, *rates]
    for line in one.lines:
        cells: list[object] = [line.many(name) for name in MEASURES]
        for step in RATES:
            rate = line.rate(step)
            ends = (rate.middle, rate.low, rate.high) if rate else (None, None, None)
            cells += [None if end is None else round(end, 4) for end in ends]
        yield [line.label, *cells]


def as_json(one: Funnel, reasons: list[tuple[str, int]], judged: list[Judged]) -> dict[str, Any]:
    """Times are UTC; `rates` are shares of one, each with its interval, its method and how many it is a share of."""
    return {
        "since": one.asked.since.isoformat(),
        "until": one.asked.until.isoformat(),
        "timezone": str(one.asked.zone),
        "counted_until": one.upto.isoformat() if one.upto else None,
        "only": dict(one.asked.only),
        "by": one.asked.by,
        "lines": [_line(line) for line in one.lines],
        "total": _line(one.total),
        "goals": [asdict(each) for each in judged],
        "failed": [{"reason": reason, "failed": many} for reason, many in reasons],
    }


def _line(line: Line) -> dict[str, Any]:
    rates = {step: line.rate(step) for step in RATES}
    return {
        "label": line.label,
        **{name: line.many(name) for name in MEASURES},
        "rates": {step: None if rate is None else asdict(rate) for step, rate in rates.items()},
    }
