"""The estimate as a person reads it in a terminal of 80 columns."""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import date

from rich.cells import set_cell_size

from ivr.traffic import wording
from ivr.traffic.estimate import Estimate
from ivr.traffic.expect import METHOD, Expected
from ivr.traffic.intervals import Range
from ivr.traffic.judge import Criterion, Judged
from ivr.traffic.measured import FEW, Measured
from ivr.traffic.skeleton import skeleton

WIDTH = 80

_LISTED = 30  # branches in the table

_BARS = " ▁▂▃▄▅▆▇█"
_SIGNS: dict[int | None, str] = {2: "+", 1: "=", 0: "-", None: "?"}
_SAID = {
    "first": "offer here first",
    "try": "worth a try",
    "not now": "not now",
    "too few": f"too few calls to judge (under {FEW})",
}
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def page(one: Estimate, detailed: int = 3) -> Iterator[str]:
    """Lines: the file, all branches, the best in detail, when they call, what was assumed, and what to paste."""
    yield from _file(one)
    yield ""
    yield from _table(one.branches)
    for place, branch in enumerate(one.branches[:detailed], 1):
        yield ""
        yield from _detail(place, branch)
    yield ""
    yield from _together(one)
    yield from _week(one)
    yield ""
    yield from _assumed(one)
    yield ""
    yield from _paste(one)


def _wrapped(text: str, first: str = "", indent: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)


def _file(one: Estimate) -> Iterator[str]:
    traffic, reading = one.traffic, one.reading
    first, last = date.fromordinal(traffic.first_day), date.fromordinal(traffic.last_day)
    branches = f"{len(traffic.branches):,} branch{'es' if len(traffic.branches) > 1 else ''}"
    yield from _wrapped(
        f"{one.file}: {traffic.total.calls:,} calls, {first} to {last} ({traffic.days:,} days), {branches}"
    )
    columns = ", ".join(f'{role} "{name}"' for role, name in one.columns.names.items())
    yield from _wrapped(
        f"Read as {one.encoding}, {_SEPARATORS[one.separator]}, times in {one.asked.zone}. Columns: {columns}."
    )
    left = {"broken": reading.broken, "outgoing": reading.outgoing, "repeated": reading.repeated}
    if any(left.values()):
        said = ", ".join(f"{many:,} {why}" for why, many in left.items() if many)
        yield from _wrapped(f"Rows left out: {said}.")
    for note in one.notes:
        yield from _wrapped(note, "! ", "  ")


def _table(branches: Sequence[Judged]) -> Iterator[str]:
    yield "    branch             calls a wk  length   wait   left  again  deflections a wk"
    verdict = ""
    for place, one in enumerate(branches[:_LISTED], 1):
        if one.verdict != verdict:
            verdict = one.verdict
            yield f"  {_SAID[verdict]}:"
        branch = one.branch
        yield (
            f"{place:>3} {set_cell_size(branch.name, 18)} {wording.number(branch.weekly.middle):>10}"
            f" {_length(branch.length):>7} {_length(branch.wait):>6} {_rate(branch.abandoned):>6}"
            f" {_rate(branch.again):>6}  {wording.span(one.expected.deflections):>16}"
        )
    if len(branches) > _LISTED:
        yield f"    and {len(branches) - _LISTED:,} more, all in --csv and --json"
    yield from _wrapped(
        f"left: hung up waiting; again: called again within 7 days; * from under {FEW} calls; - not in the file"
    )


def _length(figure: Range | None) -> str:
    return "-" if figure is None else wording.clock(figure.middle) + _mark(figure)


def _rate(figure: Range | None) -> str:
    return "-" if figure is None else wording.percent(figure.middle) + _mark(figure)


def _mark(figure: Range) -> str:
    return "*" if (figure.sample or 0) < FEW else ""


def _detail(place: int, one: Judged) -> Iterator[str]:
    branch, expected = one.branch, one.expected
    yield from _wrapped(f"{place}. {branch.name}: {_SAID[one.verdict]}")
    for criterion in one.criteria:
        yield from _reason(criterion)
    if branch.known:
        yield from _line("", "numbers", f"{wording.rate(branch.known)} of calls show theirs")
    yield from _line("", "hours", f"|{_bars(_by_hour(branch.hours))}| 0 to 24 h")
    yield from _line(
        "", "days", f"|{_bars(_by_day(branch.hours))}| Monday to Sunday; {branch.office:.0%} Mon-Fri 8-18 h"
    )
    yield from _expect(expected, branch)
    yield from _line("", "goals", goals(one))


def _together(one: Estimate) -> Iterator[str]:
    if one.together and one.joint:
        names = ", ".join(judged.branch.name for judged in one.chosen)
        yield from _wrapped(f"Together: {names}")
        yield from _expect(one.together, one.joint)
        yield ""


def _reason(criterion: Criterion) -> list[str]:
    near = "" if criterion.sure else " (spans a limit)"
    return _line(_SIGNS[criterion.points], criterion.name, criterion.words + near)


def _line(sign: str, name: str, words: str) -> list[str]:
    return _wrapped(words, f" {sign:1} {name:<11}", " " * 14)


def _expect(expected: Expected, branch: Measured) -> Iterator[str]:
    deflections, conversations = wording.span(expected.deflections), wording.span(expected.conversations)
    yield from _line("", "expect", f"{deflections} deflections, {conversations} conversations a week")
    when = f"{wording.hour_of_week(branch.busiest)}, with {wording.number(branch.busiest_calls.middle)} calls"
    if expected.agents is None:
        yield from _line("", "agents", f"cannot be told without lengths; busiest hour {when}")
        return
    yield from _line("", "agents", f"{wording.span(expected.agents)} at once in the busiest hour, {when} (Erlang C)")


def goals(one: Judged) -> str:
    """What to aim at, and where to look again."""
    deflections, again = one.expected.deflections, one.branch.again
    kept = f"; calls again within 7 days at most {wording.percent(again.middle)}, as today" if again else ""
    aim, least = wording.number(deflections.middle), wording.number(deflections.low)
    return f"{aim} deflections a week (look again below {least}){kept}"


def _by_hour(hours: list[float]) -> list[float]:
    return [sum(hours[hour::24]) for hour in range(24)]


def _by_day(hours: list[float]) -> list[float]:
    return [sum(hours[day * 24 : day * 24 + 24]) for day in range(7)]


def _bars(values: list[float], most: float | None = None) -> str:
    top = most or max(values) or 1
    return "".join(_BARS[0 if not value else max(1, round(value / top * 8))] for value in values)


def _week(one: Estimate) -> Iterator[str]:
    hours = one.total.hours
    yield "All calls by weekday and hour"
    yield "      0     6     12    18    24   calls that day"
    for day, name in enumerate(wording.DAYS):
        here = hours[day * 24 : day * 24 + 24]
        yield f"  {name} |{_bars(here, max(hours))}|  {wording.number(sum(here)):>9}"


def _assumed(one: Estimate) -> Iterator[str]:
    promise = one.asked.promise
    yield "Field figures, each set by its option; put yours in their place after a pilot"
    for figure in one.asked.figures.values():
        yield from _wrapped(f"{figure.what} ({figure.origin})", f"  --{figure.option:<12}{figure.shown:<8} ", " " * 25)
    service = f"an agent for {promise.service:.0%} within {wording.clock(promise.within)} minutes"
    yield from _wrapped(service, f"  {'--service, --within':<22} ", " " * 25)
    yield from _wrapped(
        "Ranges in brackets are 95% intervals by the method named; those of deflections, conversations and agents"
        f" are the {METHOD}: as wide as the field figures are unsure."
    )


def _paste(one: Estimate) -> Iterator[str]:
    if not one.chosen:
        yield "No branch is worth an offer by these figures; there is nothing to paste."
        return
    yield "To paste into flows/BRAND.yaml; then: python -m ivr check"
    yield ""
    yield from skeleton(one.chosen, one.asked.promise).splitlines()
