"""A containment report for a terminal."""

from collections.abc import Iterator

from ivr.traffic.contained import ALL, Cell, Containment, day
from ivr.traffic.contained_rows import WHO
from ivr.traffic.intervals import Range
from ivr.traffic.talks import Load
from ivr.traffic.wording import number, percent

NOT_KNOWN = "not known"


def page(report: Containment) -> Iterator[str]:
    begins, ends = (day(at, report.period.zone) for at in (report.period.begins, report.period.ends))
    mark = "  SIMULATED" if report.simulated else ""
    yield f"Containment of {report.brand}, {begins} to {ends}{mark}"
    yield from (f" ! {note}" for note in report.notes)
    if not report.cells:
        yield "No call of these months had an offer due."
    for branch in [*report.branches, ALL]:
        total = report.cell(branch, ALL)
        if total and not (branch == ALL and len(report.branches) == 1):
            yield ""
            yield from _branch(report, total)
    whole = report.cell(ALL, ALL)
    if whole and whole.load and len(report.branches) == 1:
        yield ""
        yield f"all messaging at LivePerson      {load(report, whole)}"


def _branch(report: Containment, total: Cell) -> Iterator[str]:
    yield f"{total.branch or 'all branches'}: {saved(total)}"
    for group in ("texted", "declined", "held"):
        told = "; ".join(f"{window} {rate(total.again[group, window])}" for window in ("24 hours", "7 days", "90 days"))
        yield f"   called again, {WHO[group]:<15} {told}"
    yield f"   returning texters             {rate(total.returning)}"
    yield f"   agents' minutes saved         {span(total.minutes)}"
    yield f"   money saved                   {money(report, total)}"
    yield f"   messaging at LivePerson       {load(report, total)}"
    yield from (f"   ! {note}" for note in total.notes)
    for month in report.months:
        cell = report.cell(total.branch, month)
        if cell:
            again = rate(cell.again["texted", "7 days"])
            yield f"   {month}  texted {cell.counts.get('texted', 0):>6,}   again in 7 days {again:<22} {saved(cell)}"


def saved(cell: Cell) -> str:
    if cell.saved is None:
        return "net calls saved not known"
    against = "who heard no offer" if cell.control else "who declined (not a fair comparison)"
    return f"net calls saved {span(cell.saved)} against {against}"


def money(report: Containment, cell: Cell) -> str:
    if report.costs is None:
        return "not known: no `costs` in the brand's file"
    return f"{report.costs.currency} {span(cell.money)}" if cell.money else NOT_KNOWN


def load(report: Containment, cell: Cell) -> str:
    told = cell.load
    if told is None:
        return report.unread or "none"
    words = f"{told.conversations:,} conversations ({told.ours:,} opened here), {told.closed:,} closed"
    if told.returning:
        words += f"; returning {rate(told.returning)}"
    return f"{words}; {hours(told)} with an agent" if told.timed else words


def hours(told: Load) -> str:
    """What agents had in hand. They have several at once, so it is more than their working time."""
    return f"{number(told.minutes / 60)} h ({number(told.minutes / told.timed)} min each)" if told.timed else NOT_KNOWN


def span(figure: Range | None) -> str:
    """The figure and its interval, in whole numbers that a reader can hold on to."""
    if figure is None:
        return NOT_KNOWN
    return f"{number(figure.middle)} ({number(figure.low)} to {number(figure.high)})"


def rate(figure: Range | None) -> str:
    if figure is None:
        return "not over yet"
    few = f", of {figure.sample}" if figure.sample is not None and figure.sample < 100 else ""
    return f"{percent(figure.middle)} ({percent(figure.low)} to {percent(figure.high)}{few})"
