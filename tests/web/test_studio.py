"""Calls that a Studio flow sends here: whatever happens, they go back there, once a visit, with a word that is true."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from ivr.clients.failure import SendError
from ivr.flow.engine import UNHEARD
from ivr.flow.model import Flow, ToMenu, ToUrl
from ivr.sandbox.town import ROOT
from tests.doors import ACCOUNT_SID, Doors, Heard, opened_doors

FLOW, EXECUTION = "FW" + "a" * 32, "FN" + "b" * 32
IDS = f"flow={FLOW}&exec={EXECUTION}"
ENTRY = f"/voice/acme/billing?{IDS}"
ANSWER = f"/voice/acme/billing?step=answer&{IDS}"
AGAIN = f"/voice/acme/billing?step=answer&try=2&{IDS}"


def back(heard: Heard) -> dict[str, str]:
    """What Studio is told, where the document ends in the return."""
    url = urlsplit((heard.verbs[-1].text or "").strip())
    assert heard.names[-1] == "Redirect"
    assert (url.hostname, url.path) == ("webhooks.twilio.com", f"/v1/Accounts/{ACCOUNT_SID}/Flows/{FLOW}")
    query = {name: values[0] for name, values in parse_qs(url.query, strict_parsing=True).items()}
    assert query.pop("FlowEvent") == "return"
    return query


def said(heard: Heard) -> tuple[str, str]:
    told = back(heard)
    return told["result"], told.get("reason", "")


def last(heard: Heard) -> str:
    """Where it goes on when nobody presses anything."""
    assert heard.names[-1] == "Redirect"
    return (heard.verbs[-1].text or "").strip()


def silence(doors: Doors, sid: str, heard: Heard) -> Heard:
    return doors.voice(last(heard), sid)


def accepted(doors: Doors, sid: str = "CA1") -> Heard:
    """The step that looks what became of the text."""
    return silence(doors, sid, doors.voice(ANSWER, sid, Digits="1"))


def delivered(doors: Doors) -> Heard:
    told = doors.voice(ANSWER, "CA1", Digits="1")
    callback = urlsplit(doors.twilio.sent[0]["callback"]).path
    doors.post(callback, {"MessageSid": f"SM{1:032x}", "MessageStatus": "delivered"})
    return silence(doors, "CA1", told)


def pending(doors: Doors) -> Heard:
    doors.twilio.fails = [SendError("busy", code=20429, retry_after=60.0)]
    return silence(doors, "CA1", accepted(doors))


def refused(doors: Doors) -> Heard:
    doors.twilio.fails = [SendError("x", permanent=True, code=21610)]
    return silence(doors, "CA1", doors.voice(ANSWER, "CA1", Digits="1"))


def credentials(doors: Doors) -> Heard:
    doors.twilio.fails = [SendError("x", permanent=True, code=20003)]
    return doors.voice(ANSWER, "CA1", Digits="1")


def not_arrived(doors: Doors) -> Heard:
    return doors.voice(accepted(doors).action(), "CA1", Digits="1")


def away(doors: Doors) -> Heard:
    with doors.runtime.database.writes() as tx:
        for table in ("messages", "conversations", "api_deflections", "deflections", "calls", "studio_returns"):
            tx.exec_driver_sql(f"DROP TABLE {table}")
    return doors.voice(ENTRY, "CA1")


RETURNS: list[tuple[str, Callable[[Doors], Heard], tuple[str, str]]] = [
    ("nobody presses", lambda doors: silence(doors, "CA1", doors.voice(ENTRY, "CA1")), ("silent", "")),
    ("an empty key", lambda doors: doors.voice(ANSWER, "CA1", Digits=""), ("silent", "")),
    ("wrong keys to the end", lambda doors: doors.voice(AGAIN, "CA1", Digits="9"), ("declined", "key")),
    ("a text that arrived", delivered, ("accepted", "delivered")),
    ("a text that was taken", lambda doors: silence(doors, "CA1", accepted(doors)), ("accepted", "sent")),
    ("a text on its way", pending, ("accepted", "pending")),
    ("a number that cannot be texted", refused, ("failed", "cannot_text")),
    ("no number could be texted", credentials, ("failed", "cannot_text")),
    ("nothing arrived", not_arrived, ("failed", "not_arrived")),
    ("a queue that was full", lambda doors: doors.voice(f"/voice/acme/billing?step=queued&{IDS}", "CA1", QueueResult="queue-full"), ("failed", "nobody")),
    ("a menu, silence", lambda doors: silence(doors, "CA1", doors.voice(f"/voice/acme/menu?{IDS}", "CA1")), ("silent", "")),
    ("a menu, wrong keys", lambda doors: doors.voice(f"/voice/acme/menu?step=choose&try=2&{IDS}", "CA1", Digits="9"), ("declined", "key")),
    ("a branch that is not there", lambda doors: doors.voice(f"/voice/acme/gone?{IDS}", "CA1"), ("error", "unknown_place")),
    ("a step that is not there", lambda doors: doors.voice(f"/voice/acme/billing?step=x&{IDS}", "CA1"), ("error", "unknown_step")),
    ("a step of a menu that is not there", lambda doors: doors.voice(f"/voice/acme/menu?step=x&{IDS}", "CA1"), ("error", "unknown_step")),
    ("a text that nobody promised", lambda doors: doors.voice(f"/voice/acme/billing?step=confirm&{IDS}", "CA1"), ("error", "unknown_step")),
    ("an arrival that nobody promised", lambda doors: doors.voice(f"/voice/acme/billing?step=arrived&{IDS}", "CA1"), ("error", "unknown_step")),
]  # fmt: skip
UNWRITTEN: list[tuple[str, Callable[[Doors], Heard], tuple[str, str]]] = [
    ("a brand that is not there", lambda doors: doors.voice(f"/voice/nobody/x?{IDS}", "CA1"), ("error", "no_brand")),
    ("the database is away", away, ("error", "server")),
    (
        "no CallSid",
        lambda doors: Heard(doors.post(ENTRY, {"From": "+14155552671", "AccountSid": ACCOUNT_SID})),
        ("error", "server"),
    ),
]


@pytest.mark.parametrize(("ask", "expected"), [case[1:] for case in RETURNS], ids=[case[0] for case in RETURNS])
def test_each_end_goes_back_to_studio_and_is_a_row(
    doors: Doors, ask: Callable[[Doors], Heard], expected: tuple[str, str]
) -> None:
    heard = ask(doors)
    assert said(heard) == expected
    rows = doors.rows("SELECT call_sid, visit, ref, result, reason FROM studio_returns")
    assert rows == [("CA1", 0, back(heard)["ref"], *expected)]


@pytest.mark.parametrize(("ask", "expected"), [case[1:] for case in UNWRITTEN], ids=[case[0] for case in UNWRITTEN])
def test_an_error_of_ours_goes_back_too(doors: Doors, ask: Callable[[Doors], Heard], expected: tuple[str, str]) -> None:
    heard = ask(doors)
    assert (said(heard), heard.names, "ref" in back(heard)) == (expected, ["Redirect"], False)


def test_every_result_and_reason_is_in_the_table_of_the_page() -> None:
    page = (ROOT / "docs" / "studio.md").read_text(encoding="utf-8")
    for _, _, (result, reason) in [*RETURNS, *UNWRITTEN]:
        rows = [line for line in page.splitlines() if line.startswith(f"| `{result}`")]
        assert rows and (not reason or any(f"`{reason}`" in row for row in rows)), (result, reason)
    assert UNHEARD.keys() == {"silent", "failed"}


@pytest.mark.parametrize("way", [ToMenu("menu"), ToUrl("https://a.example/")], ids=["a menu", "a URL"])
def test_no_otherwise_is_run_for_a_call_of_studio_s(database_url: str, acme: Flow, way: ToMenu | ToUrl) -> None:
    flow = replace(acme, branches={**acme.branches, "billing": replace(acme.branches["billing"], otherwise=way)})
    with opened_doors(database_url, {"acme": flow}) as doors:
        assert said(doors.voice(AGAIN, "CA1", Digits="9")) == ("declined", "key")
        assert said(silence(doors, "CA2", doors.voice(ENTRY, "CA2"))) == ("silent", "")


def test_what_is_asked_again_is_the_same_bytes(doors: Doors) -> None:
    heard = accepted(doors)
    steps = [(last(heard), ""), (heard.action(), "1"), (AGAIN, "9")]
    first = doors.voice(steps[0][0], "CA1").response.data
    doors.clock.pass_(seconds=5)
    assert doors.voice(steps[0][0], "CA1").response.data == first
    for path, key in steps[1:]:  # nor does any other step of this visit go back with another word
        assert doors.voice(path, "CA1", Digits=key).response.data == first
    assert doors.rows("SELECT count(*) FROM studio_returns") == [(1,)]


def test_parallel_ends_of_a_visit_are_one_return(doors: Doors) -> None:
    doors.voice(ENTRY, "CA1")
    ends = [(AGAIN, "9"), (f"/voice/acme/billing?step=silent&{IDS}", "")] * 4
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda end: doors.voice(end[0], "CA1", Digits=end[1]).response.data, ends))
    assert len(set(told)) == 1
    assert doors.rows("SELECT count(*) FROM studio_returns") == [(1,)]


def test_a_flow_that_sends_the_call_again_gets_it_back_again(doors: Doors) -> None:
    first = silence(doors, "CA1", doors.voice(ENTRY, "CA1"))
    entered = doors.voice(ENTRY, "CA1")
    assert "visit=1" in entered.action()
    told = doors.voice(entered.action(), "CA1", Digits="1")
    second = silence(doors, "CA1", silence(doors, "CA1", told))
    assert (said(first), said(second)) == (("silent", ""), ("accepted", "sent"))
    assert back(first)["ref"] != back(second)["ref"]
    assert doors.rows("SELECT visit, result FROM studio_returns ORDER BY visit") == [(0, "silent"), (1, "accepted")]


def test_who_is_sent_back_at_the_entry_and_asks_again_gets_the_same_bytes(doors: Doors) -> None:
    """No such branch: a return without a step before it, once a request however often Twilio asks."""
    gone = f"/voice/acme/gone?{IDS}"
    with ThreadPoolExecutor(4) as pool:
        told = set(pool.map(lambda _: doors.voice(gone, "CA1").response.data, range(8)))
    doors.clock.pass_(seconds=15)
    assert told == {doors.voice(gone, "CA1").response.data}
    assert doors.rows("SELECT visit, reason FROM studio_returns") == [(0, "unknown_place")]
    # Another place is another visit, and so is another call.
    second = silence(doors, "CA1", doors.voice(ENTRY, "CA1"))
    other = doors.voice(gone, "CA2")
    assert len({back(second)["ref"], back(other)["ref"], back(doors.voice(gone, "CA1"))["ref"]}) == 3
    assert doors.rows("SELECT call_sid, visit FROM studio_returns ORDER BY 1, 2") == [
        ("CA1", 0),
        ("CA1", 1),
        ("CA2", 0),
    ]


def test_the_confirm_step_is_the_same_for_a_call_of_studio_s(doors: Doors) -> None:
    told = doors.voice(ANSWER, "CA1", Digits="1")
    assert told.words.startswith("We are texting the number ending in")
    assert told.names == ["Say", "Pause", "Redirect"]
    asked = silence(doors, "CA1", told)
    assert asked.words.startswith("If nothing has arrived, press 1")
    assert all(IDS in url for url in (last(told), asked.action(), last(asked)))


def test_a_call_of_another_account_is_not_let_in(doors: Doors) -> None:
    assert doors.voice(AGAIN, "CA1", Digits="9", AccountSid="AC" + "9" * 32).response.status_code == 403


@pytest.mark.parametrize("flow", ["FW1", "{{flow.flow_sid}}", "FN" + "b" * 32, "FW" + "A" * 32, ""])
def test_a_flow_that_is_none_is_told_of_and_the_call_is_led_as_any_other(
    doors: Doors, logged: io.StringIO, flow: str
) -> None:
    assert doors.voice(f"/voice/acme/billing?flow={quote(flow)}", "CA1").names == ["Gather", "Enqueue"]
    assert logged.getvalue().count('"event": "no_studio_flow"') == 1
