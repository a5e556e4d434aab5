"""Callers, payloads and keys as they really come: what each hears; never a 5xx."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.doors import CALLER, Doors
from tests.twiml_rules import faults

ACCEPT = "/voice/acme/billing?step=answer"
TEXTED = ("We are texting the number ending in", ["Say", "Pause", "Redirect"])
ASKED = ("Please enter the mobile number", ["Gather", "Gather", "Enqueue"])
TOLD_AND_ASKED = ("We are sorry, we could not text this number.", ["Say", "Gather", "Gather", "Enqueue"])

# what it is, what Twilio sends, what the caller hears after saying yes
CALLERS = [
    ("a mobile", {}, TEXTED),
    ("a number of the area 212", {"From": "+12125552671"}, TEXTED),
    ("withheld", {"From": "anonymous"}, ASKED),
    ("withheld, with a capital", {"From": "Anonymous"}, ASKED),
    ("withheld, in capitals", {"From": "ANONYMOUS"}, ASKED),
    ("restricted", {"From": "Restricted"}, ASKED),
    ("restricted, small", {"From": "restricted"}, ASKED),
    ("unknown", {"From": "unknown"}, ASKED),
    ("unavailable", {"From": "unavailable"}, ASKED),
    ("private", {"From": "private"}, ASKED),
    ("blocked", {"From": "blocked"}, ASKED),
    ("withheld, the word", {"From": "withheld"}, ASKED),
    ("ANONYMOUS on a keypad", {"From": "+266696687"}, ASKED),
    ("ANONYMOUS without a plus", {"From": "266696687"}, ASKED),
    ("UNAVAILABLE on a keypad", {"From": "+86282452253"}, ASKED),
    ("UNKNOWN on a keypad", {"From": "+8656696"}, ASKED),
    ("BLOCKED on a keypad", {"From": "+2562533"}, ASKED),
    ("RESTRICTED on a keypad", {"From": "+7378742833"}, ASKED),
    ("no From", {"From": ""}, ASKED),
    ("spaces", {"From": "   "}, ASKED),
    ("a client", {"From": "client:ann", "To": ""}, ASKED),
    ("a client without a name", {"From": "client:Anonymous"}, ASKED),
    ("a client named as a number", {"From": "client:+14155552671"}, ASKED),
    ("a client with parameters of its own", {"From": "client:ann", "PhoneNumber": "+14155552671", "rpm.phone": "1"}, ASKED),
    ("a SIP phone", {"From": "sip:ann@example.com", "SipCallId": "x", "SipDomain": "example.com"}, ASKED),
    ("a SIP phone named as a number", {"From": "sip:+14155552671@example.com"}, ASKED),
    ("a SIP phone over TLS", {"From": "sips:ann@example.com:5061;transport=tls"}, ASKED),
    ("a mobile that dials a SIP address", {"To": "sip:acme@example.com", "SipHeader_X-A": "b"}, TEXTED),
    ("a number in no plan", {"From": "0042133123"}, ASKED),
    ("toll-free", {"From": "+18005551212"}, TOLD_AND_ASKED),
    ("toll-free 888", {"From": "+18885551212"}, TOLD_AND_ASKED),
    ("premium", {"From": "+19005550123"}, TOLD_AND_ASKED),
    ("Canada", {"From": "+16045550123"}, TOLD_AND_ASKED),
    ("the Caribbean", {"From": "+18765550123"}, TOLD_AND_ASKED),
    ("Britain", {"From": "+447400123456"}, TOLD_AND_ASKED),
    ("a British premium number", {"From": "+449098790879"}, TOLD_AND_ASKED),
    ("no such area", {"From": "+10155552671"}, ASKED),
    ("one digit too few", {"From": "+1415555267"}, ASKED),
    ("one digit too many", {"From": "+141555526711"}, ASKED),
    ("without a plus", {"From": "14155552671"}, ASKED),
    ("national", {"From": "4155552671"}, ASKED),
    ("in full format", {"From": "+1(415) 555-2671"}, TEXTED),
    ("a short code", {"From": "12345"}, ASKED),
    ("an emergency", {"From": "911"}, ASKED),
    ("a caller's name", {"CallerName": "ANN O'NEIL"}, TEXTED),
    ("empty geography", {"FromCity": "", "FromState": "", "FromZip": "", "FromCountry": "", "ToCity": ""}, TEXTED),
    ("geography in words", {"FromState": "District Of Columbia", "FromCity": "London"}, TEXTED),
    ("geography in unicode", {"CallerState": "Köln", "FromCity": "北京"}, TEXTED),
    ("geography re-posted by a tool", {"FromCity": "no value", "ToCity": "no value"}, TEXTED),
    ("legacy aliases", {"Caller": CALLER, "Called": "+14155550100", "CallerCity": "", "CalledZip": ""}, TEXTED),
    ("aliases that differ", {"Caller": "anonymous", "Called": "+10000000000"}, TEXTED),
    ("a forwarded call", {"ForwardedFrom": "+14155550199", "CalledVia": "+14155550199"}, TEXTED),
    ("verified", {"StirVerstat": "TN-Validation-Passed-A", "StirPassportToken": "x" * 900}, TEXTED),
    ("verification failed", {"StirVerstat": "TN-Validation-Failed"}, TEXTED),
    ("not verified", {"StirVerstat": "No-TN-Validation"}, TEXTED),
    ("from a TwiML app", {"ApplicationSid": "AP" + "0" * 32}, TEXTED),
    ("a child call", {"ParentCallSid": "CA" + "9" * 32, "Direction": "outbound-dial"}, TEXTED),
    ("placed by the API", {"Direction": "outbound-api"}, TEXTED),
    ("no direction, no status", {"Direction": "", "CallStatus": ""}, TEXTED),
    ("a status that nobody knows", {"CallStatus": "dreaming"}, TEXTED),
    ("the call has ended", {"CallStatus": "completed"}, TEXTED),
    ("dotted and unknown parameters", {"a.b": "c", "SomethingNew": "1", "": "2"}, TEXTED),
    ("speech beside the key", {"SpeechResult": "yes please", "Confidence": "0.9", "msg": "Gather End"}, TEXTED),
    ("an older API version", {"ApiVersion": "2008-08-01"}, TEXTED),
    ("emoji and SQL", {"From": "\U0001f600'; DROP TABLE calls; --"}, ASKED),
    ("markup", {"From": "<Hangup/>&\"'"}, ASKED),
    ("a NUL", {"From": "+1415\0"}, ASKED),
    ("very long", {"From": "9" * 3000}, ASKED),
    ("From twice", {"From": [CALLER, "anonymous"]}, TEXTED),
    ("a long call id", {"CallSid": "CA" + "x" * 500}, TEXTED),
]  # fmt: skip


def test_there_are_sixty() -> None:
    assert len(CALLERS) >= 60
    assert len({label for label, _, _ in CALLERS}) == len(CALLERS)


@pytest.mark.parametrize(("params", "hears"), [case[1:] for case in CALLERS], ids=[case[0] for case in CALLERS])
def test_what_a_caller_hears(doors: Doors, params: dict[str, str | list[str]], hears: tuple[str, list[str]]) -> None:
    call: dict[str, Any] = {"CallSid": "CA" + "7" * 32, **params}
    menu = doors.voice("/voice/acme", **call)
    assert menu.words.startswith("Thank you for calling Acme Air."), "everyone is received"
    offer = doors.voice("/voice/acme/billing", **call)
    assert "Press 1" in offer.words, "everyone hears the same offer"
    heard = doors.voice(ACCEPT, **call, Digits="1")
    words, verbs = hears
    assert heard.words.startswith(words)
    assert heard.names == verbs
    assert len(doors.twilio.sent) == (1 if hears is TEXTED else 0)
    for answer in (menu, offer, heard):
        assert faults(answer.response.data) == []


KEY = "Sorry, that key is not in use here. "
MENU = ("Thank you for calling Acme Air.", ["Gather", "Enqueue"])
MENU_AGAIN = (f"{KEY}Thank you for calling Acme Air.", ["Say", "Gather", "Enqueue"])
BILLING = ("Instead of waiting on the line,", ["Gather", "Enqueue"])
BOOKINGS = ("Press 1 and we will text you, or stay on the line.", ["Gather", "Dial"])
OFFER_AGAIN = (f"{KEY}Instead of waiting on the line,", ["Say", "Gather", "Enqueue"])
PERSON = ("", ["Enqueue"])  # the queue's music
NO_NUMBER = ("Sorry, that is no number that we can text. Please enter", ["Say", "Gather", "Enqueue"])
ASKED_AGAIN = ("Please enter the mobile number", ["Gather", "Enqueue"])
READ_BACK = ("You entered 4155552672.", ["Gather", "Gather", "Enqueue"])
READ_AGAIN = (f"{KEY}You entered 4155552679.", ["Say", "Gather", "Enqueue"])
TEXTED_THERE = ("We are texting the number ending in 2679.", ["Say", "Pause", "Redirect"])
NOTHING = (MENU, PERSON, ASKED_AGAIN, READ_AGAIN)
ONE = (BILLING, ASKED, NO_NUMBER, TEXTED_THERE)
OTHER = (MENU_AGAIN, OFFER_AGAIN, NO_NUMBER, READ_AGAIN)
A_NUMBER = (MENU_AGAIN, OFFER_AGAIN, READ_BACK, READ_AGAIN)

# what it is, the values of Digits, what is heard: at the menu, at the offer, where a number is asked for, at the read-back
KEYS = [
    ("no Digits at all", [], NOTHING),
    ("empty", [""], NOTHING),
    ("spaces", ["   "], NOTHING),
    ("tab and line break", ["\t\r\n"], NOTHING),
    ("the caller hung up", ["hangup"], OTHER),
    ("the time was up", ["TIMEOUT"], OTHER),
    ("twice, the first is in use", ["1", "2"], ONE),
    ("twice, the second is in use", ["2", "1"], (BOOKINGS, OFFER_AGAIN, NO_NUMBER, ASKED_AGAIN)),
    ("twice, the first is empty", ["", "1"], NOTHING),
    ("two numbers", ["4155552672", "4155552673"], A_NUMBER),
    ("full width", ["１"], OTHER),
    ("a number in full width", ["４１５５５５２６７２"], OTHER),
    ("digits of another script", ["١"], OTHER),
    ("A", ["A"], OTHER),
    ("B", ["B"], OTHER),
    ("C", ["C"], OTHER),
    ("D", ["D"], OTHER),
    ("A to D", ["ABCD"], OTHER),
    ("a letter in a number", ["41555A52672"], OTHER),
    ("hundreds of ones", ["1" * 700], ONE),
    ("hundreds of nines", ["9" * 700], OTHER),
    ("thousands", ["9" * 20_000], OTHER),
    ("# alone", ["#"], OTHER),
    ("# at the end of a key", ["1#"], ONE),
    ("# before a key", ["#1"], OTHER),
    ("# at the end of a number", ["4155552672#"], A_NUMBER),
    ("# inside a number", ["4155#552672"], OTHER),
    ("* alone", ["*"], (MENU_AGAIN, OFFER_AGAIN, ASKED_AGAIN, READ_AGAIN)),
    ("* at the end of a number", ["4155552672*"], (MENU_AGAIN, OFFER_AGAIN, ASKED_AGAIN, READ_AGAIN)),
    ("spaces around a key", [" 1 "], ONE),
    ("spaces around a number", [" 4155552672 "], A_NUMBER),
    ("spaces inside a number", ["415 555 2672"], OTHER),
    ("plus", ["+14155552672"], OTHER),
    ("a NUL alone", ["\0"], OTHER),
    ("a NUL after a key", ["1\0"], ONE),
    ("a NUL before a key", ["\0001"], OTHER),
    ("a NUL inside a number", ["41555\00052672"], OTHER),
    ("words", ["one"], OTHER),
    ("minus", ["-1"], OTHER),
    ("markup", ["<Hangup/>&\"'"], OTHER),
    ("emoji and SQL", ["\U0001f600'; DROP TABLE calls; --"], OTHER),
]  # fmt: skip


def _where_keys_are_pressed(doors: Doors) -> dict[str, str]:
    """Four calls of one withheld caller, each led to another place; the path that the next key goes to."""
    of = {"From": "anonymous"}
    offers = {call: doors.voice("/voice/acme/billing", call, **of).action() for call in ("offer", "number", "right")}
    asked = {call: doors.voice(offers[call], call, **of, Digits="1").action() for call in ("number", "right")}
    return {
        "menu": doors.voice("/voice/acme", "menu", **of).action(),
        "offer": offers["offer"],
        "number": asked["number"],
        "right": doors.voice(asked["right"], "right", **of, Digits="4155552679").action(),
    }


@pytest.mark.parametrize(("digits", "hears"), [case[1:] for case in KEYS], ids=[case[0] for case in KEYS])
def test_digits_in_every_odd_form(doors: Doors, digits: Sequence[str], hears: Sequence[tuple[str, list[str]]]) -> None:
    places = _where_keys_are_pressed(doors)
    pressed: dict[str, Any] = {"From": "anonymous"} | ({"Digits": digits} if digits else {})
    for (call, path), (words, verbs) in zip(places.items(), hears, strict=True):
        heard = doors.voice(path, call, **pressed)
        assert (heard.names, heard.words[: len(words)]) == (verbs, words), call
        assert faults(heard.response.data) == [], call
    assert len(doors.twilio.sent) == (TEXTED_THERE in hears)
