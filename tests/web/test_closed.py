"""Calls at closing time: the offer that was heard is kept, whenever it is accepted and however often it is replayed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr.flow.load import load
from tests.doors import Doors, opened_doors
from tests.flow.test_closed import AFTER, BEFORE, GOOD, OPENS

CLOSED_STEP = f"/voice/acme/billing?step=answer&closed={OPENS}"


@pytest.fixture
def doors(database_url: str, tmp_path: Path) -> Iterator[Doors]:
    file = tmp_path / "acme.yaml"
    file.write_text(GOOD, encoding="utf-8")
    with opened_doors(database_url, load([file]).flows) as opened:
        yield opened


def test_a_call_over_closing_time_gets_what_it_was_promised(doors: Doors) -> None:
    doors.clock.now = BEFORE
    offer = doors.voice("/voice/acme/billing", "CA1")
    assert offer.words == "Press 1, we are here."
    doors.clock.now = AFTER
    doors.voice(offer.action(), "CA1", Digits="1")
    assert [sent["body"] for sent in doors.twilio.sent] == ["Acme here. Reply STOP to opt out."]
    assert doors.rows("SELECT text FROM prompts") == [("Press 1, we are here.",)]


def test_a_call_out_of_hours(doors: Doors) -> None:
    doors.clock.now = AFTER
    offer = doors.voice("/voice/acme/menu?step=choose", "CA1", Digits="1")
    assert offer.words.startswith("We are closed. Press 1, and we answer tomorrow at 8 AM.")
    assert offer.action() == CLOSED_STEP
    sent = doors.voice(offer.action(), "CA1", Digits="1")
    assert sent.action("Redirect") == f"/voice/acme/billing?step=confirm&closed={OPENS}"
    assert [sent["body"] for sent in doors.twilio.sent] == ["Acme: we answer tomorrow at 8 AM. Reply STOP to opt out."]
    assert doors.rows("SELECT text FROM prompts") == [("We are closed. Press 1, and we answer {{ opens }}.",)]
    assert doors.voice(CLOSED_STEP, "CA2").words == "We are here tomorrow at 8 AM, +1(415) 555-2671."


def test_a_replay_after_it_has_opened_sends_nothing_and_says_the_same(doors: Doors) -> None:
    doors.clock.now = AFTER
    first = doors.voice(CLOSED_STEP, "CA1", Digits="1")
    doors.clock.now = datetime.fromtimestamp(OPENS + 60, UTC)
    again = doors.voice(CLOSED_STEP, "CA1", Digits="1")
    as_open = doors.voice("/voice/acme/billing?step=answer", "CA1", Digits="1")
    assert first.words == again.words == as_open.words
    assert len(doors.twilio.sent) == 1


def test_a_keyed_in_number_gets_the_closed_greeting(doors: Doors) -> None:
    doors.clock.now = AFTER
    withheld = {"From": "anonymous"}
    asked = doors.voice(CLOSED_STEP, "CA1", Digits="1", **withheld)
    read_back = doors.voice(asked.action(), "CA1", Digits="4155552672", **withheld)
    doors.voice(read_back.action(), "CA1", Digits="1", **withheld)
    assert [sent["body"] for sent in doors.twilio.sent] == ["Acme: we answer tomorrow at 8 AM. Reply STOP to opt out."]


def test_when_the_database_is_away_out_of_hours(doors: Doors) -> None:
    doors.clock.now = AFTER
    with doors.runtime.database.writes() as tx:
        for table in ("messages", "conversations", "api_deflections", "deflections", "calls"):
            tx.exec_driver_sql(f"DROP TABLE {table}")
    for path in ("/voice/acme/billing", CLOSED_STEP):
        assert doors.voice(path, Digits="1").words.startswith("We are here tomorrow at 8 AM")


ODD = ["", "x", "-1", "0", "1", "99999999999", "9" * 400, "1.5", "%00", "²"]


@pytest.mark.parametrize("closed", ODD)
def test_an_odd_step_is_a_step_all_the_same(doors: Doors, closed: str) -> None:
    heard = doors.voice("/voice/acme/billing?step=answer&closed=" + closed.replace("²", "%C2%B2"), Digits="1")
    assert heard.words.startswith("We are texting")
    assert len(doors.twilio.sent) == 1
