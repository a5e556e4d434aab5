"""A call that a person makes: which key is for which prompt."""

from collections.abc import Iterator

import pytest

from ivr.sandbox.live_call import Line
from ivr.sandbox.live_clock import LiveClock


@pytest.fixture
def line() -> Iterator[Line]:
    clock = LiveClock()
    yield Line(clock, lambda _kind, _particulars: None)
    clock.stop()


def test_a_key_is_for_the_prompt_that_its_presser_saw(line: Line) -> None:
    menu = line.listen()
    line.press("1", menu)
    assert line.keys() == "1"
    offer = line.listen()
    line.press("1", menu)
    assert line.keys() == "", "pressed twice at the menu is no yes to the offer"
    line.press("2", offer)
    line.press("x", offer)
    assert line.keys() == "2"


def test_a_key_before_any_prompt_is_nobodys(line: Line) -> None:
    line.press("1", 0)
    line.listen()
    assert line.keys() == ""
