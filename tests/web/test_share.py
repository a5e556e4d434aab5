"""`share`: who is held back hears no offer, at no call, and a row keeps it; nothing changes for brands without."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ivr.flow import aims
from ivr.flow.load import load
from ivr.flow.model import Flow
from tests.doors import SECRET_KEY, Doors, opened_doors
from tests.flow.test_aims import ACME

CALLERS = [f"+1415555{number:04d}" for number in range(2000, 2100)]
FLOW_ID, EXECUTION_ID = "FW" + "1" * 32, "FN" + "2" * 32


def lot(caller: str) -> float:
    return aims.lot(SECRET_KEY, "acme", caller)


HEARS = next(caller for caller in CALLERS if lot(caller) < 0.5)
HELD = next(caller for caller in CALLERS if lot(caller) >= 0.5)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    file = tmp_path_factory.mktemp("flows") / "acme.yaml"
    file.write_text(ACME.replace("language: en-US\n", "language: en-US\nshare: 50%\n", 1), encoding="utf-8")
    return load([file]).flows["acme"]


@pytest.fixture
def doors(database_url: str, shared: Flow) -> Iterator[Doors]:
    with opened_doors(database_url, {"acme": shared}) as opened:
        yield opened


def rows(doors: Doors, table: str) -> list[tuple[str, str, str]]:
    return doors.rows(f"SELECT call_sid, branch, caller FROM {table} ORDER BY call_sid, branch")


def test_who_is_held_back_is_led_on_as_with_otherwise(doors: Doors) -> None:
    held = doors.voice("/voice/acme/billing", "CA1", From=HELD)
    assert held.names == ["Enqueue"]
    assert held.verbs[0].text == "billing"
    assert rows(doors, "held_back") == [("CA1", "billing", HELD)]
    assert rows(doors, "deflections") == []
    assert doors.rows("SELECT call_sid, offered FROM calls") == [("CA1", None)]


def test_who_hears_the_offer_accepts_it(doors: Doors) -> None:
    offer = doors.voice("/voice/acme/billing", "CA1", From=HEARS)
    assert "Press 1 to gain back your time" in offer.words
    doors.voice(offer.action(), "CA1", From=HEARS, Digits="1")
    assert len(doors.twilio.sent) == 1
    assert rows(doors, "held_back") == []
    assert rows(doors, "deflections") == [("CA1", "billing", HEARS)]


def test_behind_the_menu_and_on_the_dialled_number_it_is_the_same(doors: Doors) -> None:
    menu = doors.voice("/voice/acme", "CA1", From=HELD)
    assert "For billing, press 1" in menu.words
    assert doors.voice(menu.action(), "CA1", From=HELD, Digits="1").names == ["Enqueue"]
    assert doors.voice("/voice", "CA2", From=HELD, To="+14155550101").names == ["Enqueue"]
    assert rows(doors, "held_back") == [("CA1", "billing", HELD), ("CA2", "billing", HELD)]


def test_a_replay_writes_one_row(doors: Doors) -> None:
    first, again = (doors.voice("/voice/acme/billing", "CA1", From=HELD) for _ in range(2))
    assert first.response.data == again.response.data
    assert len(rows(doors, "held_back")) == 1


def test_it_stays_the_same_at_every_call_and_in_every_branch(doors: Doors) -> None:
    for index, caller in enumerate(CALLERS[:40]):
        heard = {
            doors.voice(f"/voice/acme/{branch}", f"CA{index}-{branch}-{call}", From=caller).names[0] == "Gather"
            for branch in ("billing", "bookings")
            for call in (1, 2)
        }
        assert heard == {lot(caller) < 0.5}, caller
    assert {HEARS, HELD} <= set(CALLERS[:40])


@pytest.mark.parametrize("caller", ["anonymous", "+266696687", "", "sip:anonymous@anonymous.invalid"])
def test_who_cannot_be_told_from_others_hears_the_offer(doors: Doors, caller: str) -> None:
    assert doors.voice("/voice/acme/billing", "CA1", From=caller).names[0] == "Gather"
    assert rows(doors, "held_back") == []


def test_a_call_from_studio_goes_back_there(doors: Doors) -> None:
    path = f"/voice/acme/billing?flow={FLOW_ID}&exec={EXECUTION_ID}"
    back = doors.voice(path, "CA1", From=HELD)
    assert "result=declined" in back.action("Redirect")
    assert "reason=share" in back.action("Redirect")
    assert doors.voice(path, "CA1", From=HELD).response.data == back.response.data  # asked again: not back twice
    assert len(rows(doors, "held_back")) == 1


def test_who_accepts_a_step_that_was_played_before_is_texted_all_the_same(doors: Doors) -> None:
    """The share fell while the offer was being heard: what was offered is kept."""
    doors.voice("/voice/acme/billing?step=answer", "CA1", From=HELD, Digits="1")
    assert len(doors.twilio.sent) == 1


def test_a_branch_without_share_gives_its_ready_document(database_url: str, shared: Flow, acme: Flow) -> None:
    beside = replace(shared, branches={**shared.branches, "billing": acme.branches["billing"]})
    with opened_doors(database_url, {"acme": beside}) as doors:
        assert set(doors.runtime.brands["acme"].shares) == {"bookings"}
        heard = doors.voice("/voice/acme/billing", "CA1", From=HELD)
        assert heard.response.data == doors.runtime.brands["acme"].documents["billing"]
        assert rows(doors, "held_back") == []
    assert aims.sharing(acme.branches) == {}, "nobody draws a lot, nothing is hashed"
