"""Figures as a person reads them: counts, rates, lengths, hours of the week, each with its interval and method."""

from ivr.traffic.intervals import Range
from ivr.traffic.measured import FEW

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def number(value: float) -> str:
    """Three digits are as much as an estimate knows."""
    if value >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.0f}" if value >= 10 or value < 0.05 or value == int(value) else f"{value:.1f}"


def clock(seconds: float) -> str:
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def percent(value: float) -> str:
    hundredfold = value * 100
    return f"{hundredfold:.1f}%" if 0 < hundredfold < 9.95 else f"{hundredfold:.0f}%"


def hour_of_week(hour: int) -> str:
    return f"{DAYS[hour // 24]} {hour % 24:02d}:00"


def _few(figure: Range) -> str:
    return f", only {figure.sample}" if figure.sample is not None and figure.sample < FEW else ""


def per_week(figure: Range) -> str:
    return f"{number(figure.middle)} a week ({number(figure.low)}-{number(figure.high)}, {figure.method})"


def length(figure: Range) -> str:
    bounds = f"{clock(figure.low)}-{clock(figure.high)}"
    return f"middle {clock(figure.middle)} ({bounds}, {figure.method}{_few(figure)})"


def rate(figure: Range) -> str:
    low = percent(figure.low).removesuffix("%")
    return f"{percent(figure.middle)} ({low}-{percent(figure.high)}, {figure.method}{_few(figure)})"


def span(figure: Range) -> str:
    """The middle and its limits, whose method is said elsewhere."""
    low, middle, high = map(number, (figure.low, figure.middle, figure.high))
    return middle if low == high else f"{middle} ({low}-{high})"
