"""A caller who cannot be texted keys in another number: read back, confirmed, bounded, and texted once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ivr.clients.failure import SendError
from ivr.flow.model import Flow, Recording, Spoken, ToStudio
from ivr.flow.words import Words, words
from tests.doors import CALLER, Doors, Heard, opened_doors

ACCEPT = "/voice/acme/billing?step=answer"
NUMBER = "/voice/acme/billing?step=number"
RIGHT = "/voice/acme/billing?step=right"
CONFIRM = "/voice/acme/billing?step=confirm&try=2"
ASK = "Please enter the mobile number"
CANNOT = "We are sorry, we could not text this number."


def keys_in(doors: Doors, call: str, digits: str, caller: str = "anonymous") -> Heard:
    """A whole call: yes, the number, and that it is right."""
    doors.voice(ACCEPT, call, From=caller, Digits="1")
    return says_right(doors, call, digits, caller)


def read_back(doors: Doors, call: str, digits: str, caller: str = "anonymous") -> Heard:
    doors.voice(ACCEPT, call, From=caller, Digits="1")
    return doors.voice(NUMBER, call, From=caller, Digits=digits)


def says_right(doors: Doors, call: str, digits: str, caller: str = "anonymous", path: str = NUMBER) -> Heard:
    """The number, and 1 where it is read back; where it is not, what is heard instead."""
    heard = doors.voice(path, call, From=caller, Digits=digits)
    return doors.voice(heard.action(), call, From=caller, Digits="1") if "You entered" in heard.words else heard


def sent_to(doors: Doors) -> list[str]:
    return [sent["to"] for sent in doors.twilio.sent]


def test_a_withheld_caller_is_texted_where_they_say(doors: Doors) -> None:
    asked = doors.voice(ACCEPT, "CA1", From="anonymous", Digits="1")
    assert asked.words.startswith(ASK)
    read_back = doors.voice(asked.action(), "CA1", From="anonymous", Digits="4155552672")
    assert read_back.words.startswith("You entered 4155552672.")
    assert sent_to(doors) == [], "nothing goes to a number that nobody confirmed"
    told = doors.voice(read_back.action(), "CA1", From="anonymous", Digits="1")
    assert "number ending in 2672" in told.words
    assert sent_to(doors) == ["+1(415) 555-2672"]
    assert doors.rows("SELECT number, keyed_in, entered, refused FROM deflections") == [
        ("+14155552672", True, None, None)
    ]
    ask = doors.voice(told.action("Redirect"), "CA1", From="anonymous")
    assert ask.words.startswith("If nothing has arrived")


def test_no_number_stands_in_a_callback_or_a_log(doors: Doors, logged: object) -> None:
    doors.voice(ACCEPT, "CA1", From="anonymous", Digits="1")
    read_back = doors.voice(NUMBER, "CA1", From="anonymous", Digits="4155552672")
    assert "5552672" not in read_back.action()
    doors.voice(read_back.action(), "CA1", From="anonymous", Digits="1")
    assert "5552672" not in logged.getvalue()  # type: ignore[attr-defined]
    assert "***-**72" in logged.getvalue()  # type: ignore[attr-defined]


def test_the_words_name_the_number_that_was_keyed_in(database_url: str, acme: Flow) -> None:
    greeting = words("Hello {{ caller }}", {})
    flow = replace(acme, branches={"billing": replace(acme.branches["billing"], greeting=greeting)})
    with opened_doors(database_url, {"acme": flow}) as doors:
        keys_in(doors, "CA1", "4155552672")
        assert doors.twilio.sent[0]["body"] == "Hello +1(415) 555-2672"


def test_a_number_that_fails_leads_to_another_then_to_a_person(doors: Doors) -> None:
    doors.twilio.fails = [SendError("x", permanent=True, code=21614)] * 2
    told = doors.voice(ACCEPT, "CA1", Digits="1")
    assert told.words.startswith(f"{CANNOT} {ASK}")
    second = says_right(doors, "CA1", "4155552672", CALLER, told.action())
    assert second.words.startswith(f"{CANNOT} {ASK}"), "one try is left"
    assert second.action().endswith("try=2")
    third = says_right(doors, "CA1", "4155552673", CALLER, second.action())
    assert "number ending in 2673" in third.words
    assert sent_to(doors) == ["+1(415) 555-2671", "+1(415) 555-2672", "+1(415) 555-2673"]
    assert doors.rows("SELECT state FROM messages ORDER BY created_at, state") == [("failed",), ("failed",), ("sent",)]


def test_a_number_that_fails_later_leads_to_another(doors: Doors) -> None:
    keys_in(doors, "CA1", "4155552672")
    path = doors.twilio.sent[0]["callback"].removeprefix("https://ivr.example.com")
    doors.post(path, {"MessageSid": f"SM{1:032x}", "MessageStatus": "undelivered", "ErrorCode": "30006"})
    heard = doors.voice(CONFIRM, "CA1", From="anonymous")
    assert heard.words.startswith(f"{CANNOT} {ASK}")
    assert heard.action().endswith("try=2")


def test_where_no_number_would_do_the_caller_is_not_asked(doors: Doors) -> None:
    doors.twilio.fails = [SendError("x", permanent=True, code=21606)]
    assert doors.voice(ACCEPT, "CA1", Digits="1").names == ["Say", "Enqueue"]
    assert doors.voice(ACCEPT, "CA1", Digits="1").names == ["Say", "Enqueue"], "a replay tells the same"


def test_what_is_known_of_a_keyed_in_number_is_asked_first(doors: Doors) -> None:
    doors.twilio.fails = [SendError("x", permanent=True, code=21614)]
    keys_in(doors, "CA1", "4155552672")
    assert keys_in(doors, "CA2", "4155552672").words.startswith(CANNOT)
    assert sent_to(doors) == ["+1(415) 555-2672"]


def test_no_text_follows_a_stop_to_a_keyed_in_number(doors: Doors) -> None:
    doors.post("/messages", {"MessageSid": "SM9", "From": "+14155552672", "To": "+14155550111", "Body": "STOP"})
    assert keys_in(doors, "CA1", "4155552672").words.startswith(CANNOT)
    assert sent_to(doors) == []


REPLAYS = [
    ("the yes", ACCEPT, "1", "We are texting the number ending in 2672"),
    ("the number", NUMBER, "4155552672", "We are texting the number ending in 2672"),
    ("another number", NUMBER, "4155552673", "We are texting the number ending in 2672"),
    ("that it is right", "", "1", "We are texting the number ending in 2672"),
    ("that it is wrong", "", "2", "We are texting the number ending in 2672"),
]


@pytest.mark.parametrize(("path", "digits", "hears"), [case[1:] for case in REPLAYS], ids=[case[0] for case in REPLAYS])
def test_a_replay_sends_nothing(doors: Doors, path: str, digits: str, hears: str) -> None:
    right = read_back(doors, "CA1", "4155552672").action()
    doors.voice(right, "CA1", From="anonymous", Digits="1")
    doors.clock.pass_(days=1)
    assert doors.voice(path or right, "CA1", From="anonymous", Digits=digits).words.startswith(hears)
    doors.voice(right, "CA1", From="anonymous", Digits="1")
    assert sent_to(doors) == ["+1(415) 555-2672"]


def test_a_replay_after_a_failure_sends_nothing(doors: Doors) -> None:
    doors.twilio.fails = [SendError("x", permanent=True, code=21408)]
    keys_in(doors, "CA1", "4155552672")
    assert says_right(doors, "CA1", "4155552672").words.startswith(CANNOT)
    assert len(doors.twilio.sent) == 1


def test_a_key_confirms_the_number_that_was_read_back_and_no_other(doors: Doors) -> None:
    """A late replay of the first number takes the place of the second one, which the caller hears."""
    first = read_back(doors, "CA1", "4155552672")
    again = doors.voice(first.action(), "CA1", From="anonymous", Digits="2")
    second = doors.voice(again.action(), "CA1", From="anonymous", Digits="4155552673")
    doors.voice(NUMBER, "CA1", From="anonymous", Digits="4155552672")
    heard = doors.voice(second.action(), "CA1", From="anonymous", Digits="1")
    assert heard.words.startswith("You entered 4155552672.")
    assert sent_to(doors) == []
    assert "ending in 2672" in doors.voice(heard.action(), "CA1", From="anonymous", Digits="1").words


def test_a_replayed_yes_confirms_no_later_number(doors: Doors) -> None:
    doors.twilio.fails = [SendError("x", permanent=True, code=21614)]
    first = read_back(doors, "CA1", "4155552672")
    told = doors.voice(first.action(), "CA1", From="anonymous", Digits="1")
    second = doors.voice(told.action(), "CA1", From="anonymous", Digits="4155552673")
    replayed = doors.voice(first.action(), "CA1", From="anonymous", Digits="1")
    assert replayed.words.startswith("You entered 4155552673.")
    assert sent_to(doors) == ["+1(415) 555-2672"]
    assert "ending in 2673" in doors.voice(second.action(), "CA1", From="anonymous", Digits="1").words


def test_a_number_that_failed_before_another_did_is_said_to_have_failed(doors: Doors) -> None:
    doors.twilio.fails = [SendError("x", permanent=True, code=21408)] * 2
    told = doors.voice(ACCEPT, "CA1", Digits="1")
    doors.clock.pass_(seconds=20)
    told = says_right(doors, "CA1", "4155552672", CALLER, told.action())
    last = says_right(doors, "CA1", CALLER[2:], CALLER, told.action())
    assert last.words.startswith(CANNOT)
    assert last.names[-1] == "Enqueue"
    assert len(doors.twilio.sent) == 2


def test_the_number_after_the_last_star_counts_however_much_stands_before_it(doors: Doors) -> None:
    heard = read_back(doors, "CA1", "7" * 35 + "*4155552672")
    assert heard.words.startswith("You entered 4155552672.")


def test_parallel_confirmations_send_one_text(doors: Doors) -> None:
    right = read_back(doors, "CA1", "4155552672").action()
    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(lambda _: doors.voice(right, "CA1", From="anonymous", Digits="1"), range(16)))
    assert len(doors.twilio.sent) == 1
    assert all(answer.response.status_code == 200 for answer in heard)


def test_parallel_calls_text_a_keyed_in_number_once(doors: Doors) -> None:
    """Eight callers key in the same number at the same moment."""
    calls = [(f"CA{number}", f"+1415555{3000 + number}") for number in range(8)]
    failure = SendError("x", permanent=True, code=21614)
    doors.twilio.fails = [failure] * len(calls)
    rights = [read_back(doors, call, "4155552672", caller).action() for call, caller in calls]
    tried = len(doors.twilio.sent)
    with ThreadPoolExecutor(len(calls)) as pool:
        list(pool.map(lambda of, right: doors.voice(right, of[0], From=of[1], Digits="1"), calls, rights))
    assert sent_to(doors)[tried:] == ["+1(415) 555-2672"]


def test_a_keyed_in_number_gets_one_greeting_a_day(doors: Doors) -> None:
    keys_in(doors, "CA1", "4155552672")
    doors.clock.pass_(hours=23)
    assert keys_in(doors, "CA2", "4155552672").words.startswith(CANNOT)
    doors.clock.pass_(hours=2)
    assert "number ending in 2672" in keys_in(doors, "CA3", "4155552672").words


@pytest.mark.parametrize("code", ["30003", "30008"])
def test_a_greeting_that_twilio_took_and_could_not_deliver_counts(doors: Doors, code: str) -> None:
    keys_in(doors, "CA1", "4155552672")
    path = doors.twilio.sent[0]["callback"].removeprefix("https://ivr.example.com")
    doors.post(path, {"MessageSid": f"SM{1:032x}", "MessageStatus": "undelivered", "ErrorCode": code})
    doors.clock.pass_(hours=2)
    assert keys_in(doors, "CA2", "4155552672").words.startswith(CANNOT)
    assert len(doors.twilio.sent) == 1


@pytest.mark.parametrize("digits", ["4155550111", "4155550100", "4155550121"], ids=["sender", "dialled", "another's"])
def test_our_own_numbers_are_not_texted(doors: Doors, digits: str) -> None:
    assert keys_in(doors, "CA1", digits).words.startswith(CANNOT)
    doors.voice(ACCEPT, "CA2", From=f"+1{digits}", Digits="1")
    assert doors.twilio.sent == []


def test_a_caller_is_one_however_from_is_written(doors: Doors) -> None:
    callers = [f"sip:ann@198.51.100.7:{5060 + port}" for port in range(3)] + ["SIP:Ann@198.51.100.7;transport=tls"]
    heard = [keys_in(doors, f"CA{last}", f"415555267{last}", caller) for last, caller in enumerate(callers)]
    assert ["ending in" in answer.words for answer in heard] == [True, True, True, False]


def test_a_number_that_wrote_to_us_may_be_keyed_in_again(doors: Doors) -> None:
    keys_in(doors, "CA1", "4155552672")
    doors.post("/messages", {"MessageSid": "SM9", "From": "+14155552672", "To": "+14155550111", "Body": "Hello"})
    assert "number ending in 2672" in keys_in(doors, "CA2", "4155552672").words


def test_a_number_that_wrote_stop_has_not_asked_for_more(doors: Doors) -> None:
    """It said so to one sender; through another it is bounded like anybody's."""
    doors.post("/messages", {"MessageSid": "SM9", "From": "+14155552672", "To": "+14155550121", "Body": "STOP"})
    assert "number ending in 2672" in keys_in(doors, "CA1", "4155552672").words
    assert keys_in(doors, "CA2", "4155552672").words.startswith(CANNOT)
    doors.post("/messages", {"MessageSid": "SM8", "From": "+14155552672", "To": "+14155550121", "Body": "START"})
    assert "number ending in 2672" in keys_in(doors, "CA3", "4155552672").words


def test_a_caller_keys_in_three_different_numbers_a_day(doors: Doors) -> None:
    caller = "sip:ann@example.com"
    heard = [keys_in(doors, f"CA{last}", f"415555267{last}", caller) for last in range(4)]
    assert ["ending in" in answer.words for answer in heard] == [True, True, True, False]
    assert heard[3].names == ["Say", "Enqueue"], "and is not asked for a fifth"
    doors.clock.pass_(days=1)
    assert "ending in 2675" in keys_in(doors, "CA5", "4155552675", caller).words


def test_withheld_callers_are_not_counted_as_one(doors: Doors) -> None:
    heard = [keys_in(doors, f"CA{last}", f"415555267{last}") for last in range(5)]
    assert all("ending in" in answer.words for answer in heard)


NEVER = ["9005550123", "8005551212", "911", "5552672", "6045550123", "0119098790879", "", "*", "abc"]


@pytest.mark.parametrize("digits", NEVER)
def test_what_is_never_texted_is_never_read_back(doors: Doors, digits: str) -> None:
    doors.voice(ACCEPT, "CA1", From="anonymous", Digits="1")
    heard = doors.voice(NUMBER, "CA1", From="anonymous", Digits=digits)
    assert "You entered" not in heard.words
    assert heard.names[-1] == "Enqueue"
    assert doors.rows("SELECT entered FROM deflections") == [(None,)]


COSTLY = [
    ("British 0843", "08432101234", "GB"),
    ("British premium", "09098790879", "GB"),
    ("a British pager", "07640123456", "GB"),
    ("Austrian shared cost", "0810123456", "AT"),
    ("Austrian premium", "0900123456", "AT"),
    ("a Swiss pager", "0740123456", "CH"),
]


@pytest.mark.parametrize(("digits", "region"), [case[1:] for case in COSTLY], ids=[case[0] for case in COSTLY])
def test_costly_numbers_are_not_texted_in_their_own_region_either(
    database_url: str, acme: Flow, digits: str, region: str
) -> None:
    flow = replace(acme, branches={"billing": replace(acme.branches["billing"], regions=(region,))})
    with opened_doors(database_url, {"acme": flow}) as doors:
        heard = keys_in(doors, "CA1", digits)
        assert heard.words.startswith("Sorry, that is no number that we can text.")
        assert doors.rows("SELECT entered FROM deflections") == [(None,)]
        assert sent_to(doors) == []


def test_a_number_without_a_yes_is_not_kept(doors: Doors) -> None:
    doors.voice("/voice/acme/billing", "CA1", From="anonymous")
    heard = doors.voice(NUMBER, "CA1", From="anonymous", Digits="4155552672")
    assert heard.names == ["Enqueue"]
    assert doors.voice(RIGHT, "CA1", From="anonymous", Digits="1").names[-1] == "Enqueue"
    assert doors.twilio.sent == []


def test_a_caller_may_choose_another_number(database_url: str, acme: Flow) -> None:
    flow = replace(acme, branches={"billing": replace(acme.branches["billing"], other_number="2")})
    with opened_doors(database_url, {"acme": flow}) as doors:
        asked = doors.voice(ACCEPT, "CA1", Digits="2")
        assert asked.words.startswith(ASK)
        assert doors.twilio.sent == []
        assert "ending in 2672" in says_right(doors, "CA1", "4155552672", CALLER, asked.action()).words
        assert sent_to(doors) == ["+1(415) 555-2672"]
        assert doors.rows("SELECT accepted_key, keyed_in FROM deflections") == [("2", True)]


def test_a_caller_of_studio_s_goes_back_there_when_no_number_is_confirmed(database_url: str, acme: Flow) -> None:
    flow = replace(acme, branches={"billing": replace(acme.branches["billing"], otherwise=ToStudio())})
    ids = f"flow=FW{'1' * 32}&exec=FN{'2' * 32}"
    with opened_doors(database_url, {"acme": flow}) as doors:
        asked = doors.voice(f"{ACCEPT}&{ids}", "CA1", From="anonymous", Digits="1")
        read = doors.voice(asked.action(), "CA1", From="anonymous", Digits="4155552672")
        told = doors.voice(read.action(), "CA1", From="anonymous", Digits="7")
        for heard in (asked, read, told):
            assert heard.action().endswith(ids)
            left = doors.voice(heard.action("Redirect"), "CA1").action("Redirect")
            assert f"Flows/FW{'1' * 32}?FlowEvent=return&result=failed&reason=cannot_text&ref=" in left
        last = doors.voice(told.action(), "CA1", From="anonymous", Digits="7")
        assert last.names == ["Redirect"]
        sent = doors.voice(read.action(), "CA1", From="anonymous", Digits="1")
        assert sent.action("Redirect").endswith(ids)


WITHOUT_NUMBER: list[Spoken] = [Recording("https://example.com/right.mp3"), Words("Is this right? Press 1.")]


@pytest.mark.parametrize("phrase", WITHOUT_NUMBER, ids=["a recording", "a text"])
def test_a_number_is_read_back_whatever_the_brand_says_then(database_url: str, acme: Flow, phrase: Spoken) -> None:
    flow = replace(acme, phrases={**acme.phrases, "confirm_number": phrase})
    with opened_doors(database_url, {"acme": flow}) as doors:
        heard = read_back(doors, "CA1", "4155552672")
        gather = heard.verbs[0]
        assert "".join(gather[0].itertext()) == "4155552672"
        assert [spoken.tag for spoken in gather] == ["Say", "Play" if isinstance(phrase, Recording) else "Say"]


def test_a_slow_twilio_is_told_of_the_number_that_was_keyed_in(doors: Doors) -> None:
    answered = threading.Event()
    doors.twilio.meanwhile = lambda: answered.wait(20)  # type: ignore[assignment]
    try:
        heard = keys_in(doors, "CA1", "4155552672")
        assert heard.words.startswith("A text to the number ending in 2672 is on its way")
    finally:
        answered.set()


def test_the_callers_own_number_keyed_in_after_it_failed_is_not_tried_again(doors: Doors) -> None:
    doors.twilio.fails = [SendError("x", permanent=True, code=21408)]
    heard = keys_in(doors, "CA1", CALLER[2:], CALLER)
    assert heard.words.startswith(CANNOT)
    assert len(doors.twilio.sent) == 1
