"""The funnel as a picture: an SVG without style, script or colour of its own; the page's style sheet has them."""

import sys
from collections.abc import Sequence
from xml.etree import ElementTree

import pygal

from ivr.funnel.goals import deflected
from ivr.funnel.told import Funnel

STEPS = ("offered", "accepted", "delivered", "replied")
# It puts a hook of the old kind before every later import of the process, for plugins that we have none of.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

_SVG = "http://www.w3.org/2000/svg"
_DOTS = 62  # more of them would be a band, and take most of the time that a chart takes
_LABELS = 7  # on the axis at most


def counts_chart(one: Funnel) -> str:
    """Steps over time, a line each."""
    chart = _chart()
    for step in (step for step in STEPS if one.total.many(step) is not None):
        chart.add(step, [line.measured[step] for line in one.lines])
    return _drawn(chart, one)


def rate_chart(one: Funnel, goal: float | None) -> str:
    """Deflections as a share of offers, and the goal as a line to be above."""
    chart = _chart(value_formatter=lambda value: f"{value:.0f}%", legend_at_bottom_columns=2)  # its names are long
    shares = [
        100 * deflected(line) / line.measured["offered"] if line.measured["offered"] else None for line in one.lines
    ]
    chart.add("deflected of offered", shares)
    if goal is not None:
        chart.add(f"goal {goal:.0%}", [100 * goal] * len(one.lines))
    return _drawn(chart, one)


def _chart(legend_at_bottom_columns: int = 4, **more: object) -> pygal.Line:
    return pygal.Line(
        css=[],
        js=[],
        width=640,
        height=300,
        margin=10,
        margin_right=48,
        margin_bottom=24,
        max_scale=6,
        legend_at_bottom=True,
        legend_at_bottom_columns=legend_at_bottom_columns,
        show_minor_x_labels=False,
        truncate_legend=-1,
        truncate_label=-1,
        dots_size=2,
        no_data_text="Nothing yet",
        include_x_axis=True,
        classes=("chart",),
        **more,
    )


def _drawn(chart: pygal.Line, one: Funnel) -> str:
    labels = [line.label[5:] if len(line.label) > 7 else line.label for line in one.lines]  # the year is in the title
    chart.config.show_dots = len(labels) <= _DOTS
    chart.x_labels, chart.x_labels_major = labels, _few(labels)
    root = chart.render_tree()
    for parent in list(root.iter()):
        parent.attrib.pop("style", None)  # the page's policy knows no inline style
        for child in list(parent):
            tag = child.tag if isinstance(child.tag, str) else "comment"
            if tag in ("comment", "style", "script", f"{{{_SVG}}}style", f"{{{_SVG}}}script"):
                parent.remove(child)
    root.set("aria-hidden", "true")  # the table beside it says the same
    root.set("focusable", "false")
    return ElementTree.tostring(root, encoding="unicode")


def _few(labels: Sequence[str]) -> list[str]:
    step = max(1, -(-len(labels) // _LABELS))
    return list(labels[::step])
