"""A containment report as one page for a manager: it reads in light and dark, prints, and needs no network."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pygal
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from pygal.style import Style

from ivr.traffic.clusters import LEAST, times
from ivr.traffic.contained import ALL, COMPARED, Cell, Containment, day
from ivr.traffic.contained_page import hours, rate, saved, span
from ivr.traffic.contained_rows import WHO
from ivr.traffic.intervals import Range
from ivr.traffic.measured import FEW
from ivr.traffic.occasions import WINDOWS
from ivr.traffic.wording import clock

# pygal leaves a finder of its old plugins behind, of which Python warns at every later import.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]

_COLUMNS = (
    ("texted", "24 hours"),
    ("texted", "7 days"),
    ("texted", "90 days"),
    ("declined", "7 days"),
    ("held", "7 days"),
)
# Told apart in light, in dark and by those who see few colours (M. Okabe and K. Ito, 2008).
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")

_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    colors=_COLOURS,
    font_family="sans-serif",
    title_font_size=22,
    label_font_size=16,
    major_label_font_size=16,
    legend_font_size=18,  # two of them stand beside each other on paper
)

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


class _Chart(NamedTuple):
    svg: Markup
    words: str


def page(report: Containment) -> str:
    totals = [cell for branch in [*report.branches, ALL] if (cell := report.cell(branch, ALL))]
    whole = report.cell(ALL, ALL)
    tables: list[tuple[str, list[tuple[str, Cell]]]] = []
    if totals:
        tables.append(("By branch", [(cell.branch or "all branches", cell) for cell in totals]))
        tables += [(f"{branch}, by month", _months(report, branch)) for branch in report.branches]
    return _templates.get_template("contained.html").render(
        report=report,
        begins=day(report.period.begins, report.period.zone),
        ends=day(report.period.ends, report.period.zone),
        totals=totals,
        whole=whole,
        sentence=_sentence(report, whole) if whole else "",
        charts=[_again(report), _saved(report)] if totals else [],
        tables=tables,
        talked=_talked(report),
        hours=hours,
        columns=_COLUMNS,
        windows=WINDOWS,
        least=LEAST,
        few=FEW,
        rate=rate,
        span=span,
        clock=clock,
    )


def _months(report: Containment, branch: str) -> list[tuple[str, Cell]]:
    return [(month, cell) for month in report.months if (cell := report.cell(branch, month))]


def _talked(report: Containment) -> list[tuple[str, str, Cell]]:
    """Rows of LivePerson's messaging: all branches by month, then each branch."""
    whole = [(ALL, month) for month in report.months] + [(branch, ALL) for branch in [*report.branches, ALL]]
    cells = [(branch, month, report.cell(branch, month)) for branch, month in whole]
    return [
        (branch or "all branches", month or "all months", cell) for branch, month, cell in cells if cell and cell.load
    ]


def _sentence(report: Containment, whole: Cell) -> str:
    texted, again = whole.counts.get("texted", 0), whole.again["texted", "7 days"]
    words = f"{texted:,} calls became texts in place of waiting"
    if again:
        words += f", and after {rate(again)} of them the caller called again within seven days"
    words += f"; {saved(whole)}."
    if whole.money and report.costs:
        words += f" That is {report.costs.currency} {span(whole.money)}."
    return words


Series = list[tuple[str, list[Range | None]]]


def _bars(title: str, labels: list[str], series: Series, form: Callable[[float], str]) -> Markup:
    shown = [figure for _, figures in series for figure in figures if figure]
    chart = pygal.Bar(
        title=title,
        x_labels=labels,
        style=_STYLE,
        js=[],
        width=960,
        height=380,
        margin_bottom=30,
        value_formatter=form,
        legend_at_bottom=True,
        legend_at_bottom_columns=4,
        # The plot would end at the bars, and cut their intervals.
        range=(min(0.0, *(each.low for each in shown)), max(each.high for each in shown)) if shown else None,
        disable_xml_declaration=True,
    )
    for name, figures in series:
        chart.add(name, [_with_ends(figure) for figure in figures])
    drawn = re.sub(
        r"<script.*?</script>|<!--.*?-->", "", chart.render(is_unicode=True), flags=re.DOTALL
    )  # what its tooltips need
    return Markup(drawn)


def _with_ends(figure: Range | None) -> object:
    return {"value": figure.middle, "ci": {"low": figure.low, "high": figure.high}} if figure else None


def _again(report: Containment) -> _Chart:
    cells = [report.cell(branch, ALL) for branch in report.branches]
    series: Series = []
    for group in COMPARED:
        figures = [cell.again[group, "7 days"] if cell else None for cell in cells]
        if any(figures):
            series.append((WHO[group], [times(figure, 100) if figure else None for figure in figures]))
    svg = _bars("Called again within 7 days", report.branches, series, lambda value: f"{value:.0f}%")
    return _Chart(svg, "Per branch, with intervals of 95 %; the table has the figures.")


def _saved(report: Containment) -> _Chart:
    series: Series = []
    for branch in report.branches:
        cells = [report.cell(branch, month) for month in report.months]
        series.append((branch, [cell.saved if cell else None for cell in cells]))
    svg = _bars("Net calls saved", report.months, series, lambda value: f"{value:,.0f}")
    return _Chart(svg, "Per month, with intervals of 95 %; below zero, texts cost calls.")
