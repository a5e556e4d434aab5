"""A cell of a CSV that goes out."""

from datetime import datetime


def cell(value: object) -> str:
    """As a spreadsheet may open it: nothing is taken for a formula, times are UTC."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = "" if value is None else str(value)
    phone = text.startswith("+") and text[1:].isdigit()
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not phone else text
