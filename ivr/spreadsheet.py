"""What goes out as CSV: cells that no spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

# Full-width ones are folded by some spreadsheets; before white space some look for what follows it.
FORMULAS = ("=", "+", "-", "@", "\t", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell(value: object) -> str:
    """As a spreadsheet may open it: nothing is taken for a formula, times are UTC."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = "" if value is None else str(value)
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # csv quotes no lone return, which begins a row elsewhere
    phone = text.startswith("+") and text[1:].isdigit()
    return f"'{text}" if text.startswith(FORMULAS) and not phone else text


def as_csv(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()
