"""Every figure of a containment report, a row each, for a spreadsheet."""

import itertools
from collections.abc import Iterator

from ivr.traffic.contained import COMPARED, Cell, Containment
from ivr.traffic.intervals import Range
from ivr.traffic.occasions import WINDOWS, Group

HEADER = (
    "brand", "simulated", "branch", "month", "figure", "group", "low", "value", "high", "of", "method", "note",
)  # fmt: skip
WHO: dict[Group, str] = {
    "texted": "texted",
    "untexted": "accepted, no text reached them",
    "declined": "declined",
    "held": "heard no offer",
}

Line = tuple[object, ...]


def rows(report: Containment) -> Iterator[Line]:
    """`value` is the figure, `low` to `high` its interval of 95 %; empty where nothing can be said, `note` says why."""
    yield HEADER
    for cell in report.cells:
        figures = _figures(cell, report.costs.currency if report.costs else "")
        for line in itertools.chain(figures, _messaging(cell, report.unread)):
            where = (report.brand, "yes" if report.simulated else "no", cell.branch or "all", cell.month or "all")
            yield (*where, *line)


def _figures(cell: Cell, currency: str) -> Iterator[Line]:
    notes = "; ".join(cell.notes)
    for group, words in WHO.items():
        yield ("calls with an offer due", words, "", cell.counts.get(group, 0), "", "", "counted", "")
    for group in COMPARED:
        for window in WINDOWS:
            figure = cell.again[group, window]
            why = "" if figure else "there are none, or their time is not over"
            yield (f"called again within {window}", WHO[group], *_ends(figure), why)
    yield ("returning texters", "consumers who texted", *_ends(cell.returning), "")
    yield ("net calls saved", "against who heard no offer", *_ends(cell.control), notes)
    yield ("net calls saved", "against who declined", *_ends(cell.declined), "self-selected, no fair comparison")
    yield ("conversations", "", "", cell.conversations, "", "", "counted", "")
    yield ("texts", "", "", cell.texts, "", "", "counted", "")
    yield ("agents' minutes saved", "", *_ends(cell.minutes), "" if cell.minutes else _why(cell, "length"))
    yield (f"money saved {currency}".strip(), "", *_ends(cell.money), "" if cell.money else _why(cell, "costs"))


def _messaging(cell: Cell, unread: str) -> Iterator[Line]:
    """What LivePerson keeps; of all branches also what never touched this server."""
    load, who = cell.load, "LivePerson"
    if load is None:
        yield ("conversations at LivePerson", who, "", "", "", "", "", unread or "it has none")
        return
    for figure, value in (
        ("conversations at LivePerson", load.conversations),
        ("opened by this server", load.ours),
        ("closed", load.closed),
        ("consumers", load.consumers),
    ):
        yield (figure, who, "", value, "", "", "counted", "")
    yield ("returning texters", who, *_ends(load.returning), "")
    known = f"of {load.timed} closed ones that an agent had; agents have several at once"
    yield ("minutes with an agent", who, "", load.minutes, "", load.timed, "counted", known)


def _why(cell: Cell, missing: str) -> str:
    if cell.saved is None:
        return "net calls saved are not known"
    return (
        "no call's length is known" if missing == "length" or cell.minutes is None else "the brand's file has no costs"
    )


def _ends(figure: Range | None) -> Line:
    if figure is None:
        return ("", "", "", "", "")
    low, middle, high = (float(f"{value:.6g}") for value in (figure.low, figure.middle, figure.high))
    return (low, middle, high, figure.sample if figure.sample is not None else "", figure.method)
