"""A cell of a CSV that goes out; it is made in ivr/spreadsheet.py, which pages use too."""

from ivr.spreadsheet import cell

__all__ = ["cell"]
