"""The voice routes: odd callers, odd digits, replays, a database that is away; never a 5xx, never dead air."""

import io
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from ivr.clients.failure import SendError
from ivr.flow.model import Flow, ToGoodbye
from ivr.flow.words import Words
from tests.doors import CALLER, Doors, Heard, opened_doors

ACCEPT = "/voice/acme/billing?step=answer"
CANNOT = "We are sorry, we could not text this number."


def texts(doors: Doors) -> list[tuple[str, str]]:
    return [tuple(row) for row in doors.rows("SELECT number, state FROM messages ORDER BY created_at")]


# Digits as they come, and whether they are a yes
DIGITS = [
    ("the key", "1", "yes"),
    ("the key twice", "11", "yes"),
    ("the key and more", "1#", "yes"),
    ("another, then the key", "21", "wrong"),
    ("pound", "#", "wrong"),
    ("star and the key", "*1", "wrong"),
    ("empty", "", "silent"),
    ("spaces", "  ", "silent"),
    ("a word", "hangup", "wrong"),
    ("repeated", ["1", "2"], "yes"),
    ("no key at all", None, "silent"),
]  # fmt: skip


@pytest.mark.parametrize(("digits", "means"), [case[1:] for case in DIGITS], ids=[case[0] for case in DIGITS])
def test_digits_in_every_odd_form(doors: Doors, digits: str | list[str] | None, means: str) -> None:
    heard = doors.voice(ACCEPT) if digits is None else doors.voice(ACCEPT, Digits=digits)
    assert len(doors.twilio.sent) == (1 if means == "yes" else 0)
    expected = {"yes": "We are texting", "wrong": "Sorry, that key", "silent": ""}[means]
    assert heard.words.startswith(expected)
    assert heard.names[-1] == ("Redirect" if means == "yes" else "Enqueue")


def test_the_attempt_asks_for_the_full_format(doors: Doors) -> None:
    doors.voice(ACCEPT, Digits="1")
    (sent,) = doors.twilio.sent
    assert sent["to"] == "+1(415) 555-2671"
    assert sent["sender"] == "+14155550111"
    assert sent["callback"].startswith("https://ivr.example.com/messages/status/")


def test_21211_is_asked_once_more_as_e164_and_remembered_for_30_days(doors: Doors) -> None:
    doors.twilio.fails = [SendError("refused", permanent=True, code=21211)]
    assert doors.voice(ACCEPT, Digits="1").words.startswith("We are texting")
    doors.voice(ACCEPT, Digits="1", From="+14155552672")
    doors.clock.pass_(days=31)
    doors.voice(ACCEPT, Digits="1", From="+14155552673")
    assert [sent["to"] for sent in doors.twilio.sent] == [
        "+1(415) 555-2671", "+14155552671", "+14155552672", "+1(415) 555-2673",
    ]  # fmt: skip


ON_ITS_WAY = "A text to the number ending in"

# the failure, what the caller hears, the state of the row, whether the next call's text is not tried at once
FAILURES = [
    ("invalid", SendError("x", permanent=True, code=21211), CANNOT, "failed", True),
    ("not a mobile", SendError("x", permanent=True, code=21614), CANNOT, "failed", True),
    ("no route", SendError("x", permanent=True, code=21612), CANNOT, "failed", True),
    ("opted out", SendError("x", permanent=True, code=21610), CANNOT, "failed", True),
    ("region not allowed", SendError("x", permanent=True, code=21408), CANNOT, "failed", False),
    ("sender not capable", SendError("x", permanent=True, code=21606), CANNOT, "failed", False),
    ("credentials", SendError("x", permanent=True, code=20003), CANNOT, "failed", False),
    ("busy", SendError("x", code=20429, retry_after=2.0), ON_ITS_WAY, "due", True),
    ("not reached", SendError("x"), ON_ITS_WAY, "due", True),
    ("no answer", SendError("x", unclear=True), ON_ITS_WAY, "unclear", True),
]


@pytest.mark.parametrize(
    ("failure", "words", "state", "remembered"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES]
)
def test_refused_at_once_is_said_at_once(
    doors: Doors, failure: SendError, words: str, state: str, remembered: bool
) -> None:
    doors.twilio.fails = [failure, failure]
    heard = doors.voice(ACCEPT, Digits="1")
    assert heard.words.startswith(words)
    assert [row[1] for row in texts(doors)] == [state]
    tried = len(doors.twilio.sent)
    doors.twilio.fails = []
    again = doors.voice(ACCEPT, Digits="1")
    assert (len(doors.twilio.sent) == tried) is remembered
    assert again.words.startswith(words if remembered else "We are texting")


def test_what_is_known_of_a_number_is_forgotten_after_90_days(doors: Doors) -> None:
    doors.twilio.fails = [SendError("x", permanent=True, code=21614)]
    doors.voice(ACCEPT, Digits="1")
    doors.clock.pass_(days=91)
    assert doors.voice(ACCEPT, Digits="1").words.startswith("We are texting")


def test_a_replay_tells_the_same_truth_and_sends_nothing(doors: Doors) -> None:
    first = doors.voice(ACCEPT, "CA9", Digits="1")
    doors.clock.pass_(days=1)
    again = doors.voice(ACCEPT, "CA9", Digits="1", CallStatus="completed")
    assert first.words == again.words
    assert len(doors.twilio.sent) == 1


def test_a_text_that_failed_is_not_tried_again_by_the_same_call(doors: Doors) -> None:
    doors.twilio.fails = [SendError("x", permanent=True, code=21408)]
    assert doors.voice(ACCEPT, "CA9", Digits="1").words.startswith(CANNOT)
    assert doors.voice(ACCEPT, "CA9", Digits="1").words.startswith(CANNOT)
    assert len(doors.twilio.sent) == 1


def test_two_branches_of_one_call_are_two_deflections(doors: Doors) -> None:
    doors.voice(ACCEPT, "CA9", Digits="1")
    doors.voice("/voice/acme/bookings?step=answer", "CA9", Digits="1")
    assert len(doors.twilio.sent) == 2


def test_a_slow_twilio_is_waited_for_2_5_seconds_at_most(doors: Doors) -> None:
    answered = threading.Event()
    doors.twilio.meanwhile = lambda: answered.wait(20)  # type: ignore[assignment]
    try:
        heard = doors.voice(ACCEPT, "CA9", Digits="1")
        assert heard.words.startswith("A text to the number ending in")
        assert [row[1] for row in texts(doors)] == ["sending"]
        assert "If nothing has arrived" in doors.voice("/voice/acme/billing?step=confirm", "CA9").words
    finally:
        answered.set()


def test_when_every_slot_is_taken_the_caller_does_not_wait(doors: Doors) -> None:
    taken = [doors.runtime.attempts.reserve() for _ in range(doors.runtime.settings.web_threads + 1)]
    assert taken == [True] * doors.runtime.settings.web_threads + [False]
    assert doors.voice(ACCEPT, "CA9", Digits="1").words.startswith(ON_ITS_WAY)
    assert doors.twilio.sent == []
    assert [row[1] for row in texts(doors)] == ["due"]
    doors.runtime.attempts.release()
    doors.voice(ACCEPT, "CA10", Digits="1", From="+14155552999")
    assert len(doors.twilio.sent) == 1


@pytest.mark.parametrize(("status", "says"), [
    ({"MessageStatus": "undelivered", "ErrorCode": "30006"}, CANNOT),
    ({"MessageStatus": "delivered"}, "We are texting"),
])  # fmt: skip
def test_what_is_known_of_the_text_before_twilio_answers_is_said(
    doors: Doors, status: dict[str, str], says: str
) -> None:
    def told() -> None:
        path = doors.twilio.sent[0]["callback"].removeprefix("https://ivr.example.com")
        assert doors.post(path, {"MessageSid": f"SM{1:032x}", **status}).status_code == 200

    doors.twilio.meanwhile = told
    assert doors.voice(ACCEPT, "CA9", Digits="1").words.startswith(says)


CONFIRM = [
    ("delivered", [("delivered", None)], "Thank you. Goodbye.", "Hangup"),
    ("failed later", [("undelivered", "30006")], CANNOT, "Enqueue"),
    ("on its way", [("sent", None)], "If nothing has arrived, press 1", "Redirect"),
]


@pytest.mark.parametrize(
    ("statuses", "words", "last"), [case[1:] for case in CONFIRM], ids=[case[0] for case in CONFIRM]
)
def test_the_returning_step_reads_the_row(
    doors: Doors, statuses: list[tuple[str, str | None]], words: str, last: str
) -> None:
    sent = doors.voice(ACCEPT, "CA9", Digits="1")
    path = doors.twilio.sent[0]["callback"].removeprefix("https://ivr.example.com")
    for status, code in statuses:
        form = {"MessageSid": f"SM{1:032x}", "MessageStatus": status, **({"ErrorCode": code} if code else {})}
        assert doors.post(path, form).status_code == 200
    heard = doors.voice(sent.action("Redirect"), "CA9")
    assert heard.words.startswith(words)
    assert heard.names[-1] == last


@pytest.mark.parametrize("digits", [{}, {"Digits": "5"}, {"Digits": "1"}], ids=["silence", "a wrong key", "the key"])
def test_a_failure_while_the_caller_is_asked_is_said(doors: Doors, digits: dict[str, str]) -> None:
    doors.voice(ACCEPT, "CA9", Digits="1")
    ask = doors.voice("/voice/acme/billing?step=confirm", "CA9")
    assert ask.names == ["Gather", "Redirect"]
    path = doors.twilio.sent[0]["callback"].removeprefix("https://ivr.example.com")
    doors.post(path, {"MessageSid": f"SM{1:032x}", "MessageStatus": "undelivered", "ErrorCode": "30006"})
    heard = doors.voice(ask.action() if digits else ask.action("Redirect"), "CA9", **digits)
    assert heard.words.startswith("We are sorry, we could not text this number.")
    assert heard.names[-1] == "Enqueue"


def test_nothing_arrived_and_a_person_is_wanted(doors: Doors) -> None:
    doors.voice(ACCEPT, "CA9", Digits="1")
    ask = doors.voice("/voice/acme/billing?step=confirm", "CA9")
    assert doors.voice(ask.action(), "CA9", Digits="1").names == ["Enqueue"]


def test_a_call_that_no_brand_owns(doors: Doors, logged: io.StringIO) -> None:
    flow = "FW" + "a" * 32
    assert doors.voice("/voice", To="+14155550999").words == "We are sorry, this number is not in service."
    assert doors.voice("/voice/nobody").names == ["Say", "Hangup"]
    studio = doors.voice(f"/voice/nobody/x?flow={flow}")
    assert studio.action("Redirect").endswith(f"/Flows/{flow}?FlowEvent=return&result=error&reason=no_brand")
    assert logged.getvalue().count('"event": "no_brand"') == 3


def test_a_branch_that_is_not_there_leads_to_a_person(doors: Doors) -> None:
    assert doors.voice("/voice/acme/gone").names == ["Enqueue"]
    assert doors.voice("/voice/acme/gone?step=answer", Digits="1").names == ["Enqueue"]


def test_a_studio_flow_is_carried_along_and_checked(doors: Doors) -> None:
    flow, execution = "FW" + "a" * 32, "FN" + "b" * 32
    good = doors.voice(f"/voice/acme/billing?flow={flow}&exec={execution}", "CA8")
    assert good.action().endswith(f"step=answer&flow={flow}&exec={execution}")
    bad = doors.voice("/voice/acme/billing?flow=FW1%22%3E&exec=x")
    assert "flow" not in bad.action()
    assert doors.rows("SELECT studio_flow, studio_execution FROM calls WHERE call_sid = 'CA8'") == [(flow, execution)]


def test_rows_are_there_before_the_caller_hears_a_word(doors: Doors) -> None:
    doors.voice("/voice", "CA8")
    assert doors.rows("SELECT brand, entry FROM calls WHERE call_sid = 'CA8'") == [("acme", "menu")]
    doors.voice("/voice/acme/menu?step=choose", "CA8", Digits="1")
    doors.voice("/voice/acme/billing", "CA8")
    rows = doors.rows("SELECT branch, accepted_at, offered_at FROM deflections WHERE call_sid = 'CA8'")
    assert [(row[0], row[1]) for row in rows] == [("billing", None)]


def test_why_no_text_was_tried_is_in_the_row(doors: Doors) -> None:
    doors.voice(ACCEPT, "CA8", Digits="1", From="anonymous")
    assert doors.rows("SELECT accepted_key, number, refused FROM deflections") == [("1", None, "no_number")]


BREAKS: list[tuple[str, Callable[[Doors], Heard]]] = [
    ("the first words", lambda doors: doors.voice("/voice")),
    ("the offer", lambda doors: doors.voice("/voice/acme/billing")),
    ("the yes", lambda doors: doors.voice(ACCEPT, Digits="1")),
    ("the confirmation", lambda doors: doors.voice("/voice/acme/billing?step=confirm")),
]


@pytest.mark.parametrize("ask", [case[1] for case in BREAKS], ids=[case[0] for case in BREAKS])
def test_when_the_database_is_away_the_caller_is_led_to_a_person(doors: Doors, ask: Callable[[Doors], Heard]) -> None:
    with doors.runtime.database.writes() as tx:
        for table in ("messages", "conversations", "api_deflections", "deflections", "calls"):
            tx.exec_driver_sql(f"DROP TABLE {table}")
    heard = ask(doors)
    assert heard.names == ["Enqueue"]
    assert doors.twilio.sent == []


def test_what_cannot_be_recorded_is_told_all_the_same(doors: Doors) -> None:
    def away() -> None:
        doors.runtime.database.engine.dispose()
        with doors.runtime.database.writes() as tx:
            tx.exec_driver_sql("ALTER TABLE messages RENAME TO elsewhere")

    doors.twilio.meanwhile = away
    assert doors.voice(ACCEPT, Digits="1").words.startswith("We are texting")


def test_a_call_that_visits_two_brands_is_two_deflections(database_url: str, acme: Flow) -> None:
    with opened_doors(database_url, {"acme": acme, "beta": replace(acme, id="beta", numbers={})}) as doors:
        assert doors.voice(ACCEPT, "CA9", Digits="1").words.startswith("We are texting")
        assert doors.voice("/voice/beta/billing?step=answer", "CA9", Digits="1").words.startswith("We are texting")
        assert len(doors.twilio.sent) == 2


def test_an_inbound_text_belongs_to_the_brand_that_wrote_last(database_url: str, acme: Flow) -> None:
    with opened_doors(database_url, {"acme": acme, "beta": replace(acme, id="beta", numbers={})}) as doors:
        doors.voice(ACCEPT, Digits="1")
        form = {"MessageSid": "SM9", "From": CALLER, "To": "+14155550111", "Body": "hello"}
        assert doors.post("/messages", form).status_code == 200
        assert doors.rows("SELECT brand FROM messages WHERE kind = 'inbound'") == [("acme",)]


def test_calls_that_cannot_be_told_apart_are_led_to_a_person(doors: Doors) -> None:
    form = {"From": CALLER, "To": "+14155550100", "Digits": "1"}
    heard = Heard(doors.post(ACCEPT, form))
    assert heard.names == ["Enqueue"]
    assert (doors.twilio.sent, doors.rows("SELECT count(*) FROM deflections")) == ([], [(0,)])


def test_a_locked_database_does_not_keep_a_caller_waiting(doors: Doors) -> None:
    with doors.runtime.database.writes() as tx:
        if tx.dialect.name == "postgresql":
            tx.exec_driver_sql("LOCK TABLE deflections IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        heard = doors.voice("/voice/acme/billing")
        assert time.monotonic() - began < 3
    assert heard.names == ["Enqueue"]


def test_a_fault_of_ours_in_an_attempt_is_not_called_a_failure(doors: Doors, logged: io.StringIO) -> None:
    def fails() -> None:
        raise RuntimeError("a fault")

    doors.twilio.meanwhile = fails
    assert doors.voice(ACCEPT, "CA9", Digits="1").words.startswith(ON_ITS_WAY)
    assert [row[1] for row in texts(doors)] == ["unclear"]
    assert '"event": "text_attempt_failed"' in logged.getvalue()


def test_words_that_fail_at_the_call_still_end_in_a_sentence(database_url: str, acme: Flow) -> None:
    broken = Words("", "{{ nobody_knows }}")
    branch = replace(acme.branches["billing"], otherwise=ToGoodbye(broken), offer=broken)
    with opened_doors(database_url, {"acme": replace(acme, branches={"billing": branch})}) as doors:
        heard = doors.voice("/voice/acme/billing")
        assert heard.words.startswith("We are sorry, nobody can take your call")
        assert heard.names == ["Say", "Hangup"]


def test_a_number_in_a_path_is_not_logged(doors: Doors, logged: io.StringIO) -> None:
    doors.voice("/voice/+14155552671")
    doors.client.post("/voice/14155552671", data={})
    assert "5552671" not in logged.getvalue()
    assert "no_brand" in logged.getvalue()
