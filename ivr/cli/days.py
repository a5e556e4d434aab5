"""A day that is given to a command."""

from datetime import date

YEARS = range(1990, 2101)


class NoDay(Exception):
    """One sentence."""


def day(option: str, text: str) -> date:
    """The day that `text` names. Raises NoDay."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise NoDay(f"{option} {text}: no date; write one like 2026-11-25") from None
    if found.year not in YEARS:
        raise NoDay(f"{option} {text}: {YEARS[0]} to {YEARS[-1]}")
    return found
