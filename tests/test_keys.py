"""What a caller of a played call presses, as it is written on the command line."""

import argparse

import pytest

from ivr.cli.keys import pressed

WRITTEN = [
    ("", [""]),
    ("2,1", ["2", "1"]),
    ("2, 1", ["2", "1"]),
    (" ,1", ["", "1"]),
    ("1,1,4155552672#,h", ["1", "1", "4155552672#", "h"]),
    ("*", ["*"]),
]


@pytest.mark.parametrize(("written", "items"), WRITTEN)
def test_one_item_is_one_prompt(written: str, items: list[str]) -> None:
    assert pressed(written) == items


@pytest.mark.parametrize("written", ["1,x", "one", "1;2", "1 2", "hh", "٣"])
def test_what_no_phone_has_is_said(written: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="cannot be pressed; an item is of 0 to 9"):
        pressed(written)
