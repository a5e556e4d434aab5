"""Expectations: what happens next is said all along the way, each thing once, and only while it is true."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ivr.clients.failure import SendError
from ivr.flow.model import Expect
from ivr.flow.words import Words
from tests.desks import CHANGE, Talking, brand, said, talking
from tests.desks import MESSAGE as WORDS
from tests.doors import CALLER

# The calls of these tests come on a Monday at 09:22:30 in New York.
RECEIVED = "We have it; an agent answers by {{ promised_at }}."
LATE = "Sorry, it takes longer; you keep your place, and an agent will answer here."
CLOSED = "We have it; we are closed and answer {{ opens }}, by {{ promised_at }} at the latest. ({{ agent_hours }})"
ENDED = "Thank you for texting {{ brand }}."
EXPECT = {"received": RECEIVED, "late": LATE, "ended": ENDED}
HOURS = "Mon-Fri 08:00-20:00; Sat 09:00-13:00"
FOLLOW_UP = {"after": "2 hours", "text": "{{ brand }}: still there? Reply STOP to opt out."}
FOLLOWED_UP = "Acme Air: still there? Reply STOP to opt out."


@contextmanager
def acme(url: str, directory: Path, at: datetime | None = None, **keys: Any) -> Iterator[Talking]:
    def change(data: dict[str, Any]) -> None:
        expect = EXPECT | ({"closed": CLOSED} if "hours" in keys else {})
        data.update({"expect": expect, "warn_before": "2 minutes"} | keys)
        data["branches"]["bookings"].update(sla="1 hour")

    with talking(url, {"acme": brand(directory, change=change)}) as here:
        if at:
            here.doors.clock.now = at
        yield here


def after_greeting(here: Talking) -> list[str]:
    return here.texted()[1:]


def notes(here: Talking) -> list[str]:
    return [text for text in here.at_desk() if text.startswith("[") and "IVR deflection" not in text]


def test_a_promise_kept(database_url: str, tmp_path: Path) -> None:
    with acme(database_url, tmp_path) as here:
        here.accepts()
        here.writes("My bill is wrong")
        here.works()
        assert after_greeting(here) == ["We have it; an agent answers by 9:32 AM."]
        here.works(7 * 60)
        here.answers("I am looking at it.")
        here.works(3600)
        assert after_greeting(here)[1:] == ["I am looking at it."]
        assert notes(here) == []


def test_a_promise_broken(database_url: str, tmp_path: Path, logged: io.StringIO) -> None:
    with acme(database_url, tmp_path) as here:
        here.accepts()
        here.writes("My bill is wrong")
        here.works()
        here.works(8 * 60)
        assert notes(here) == ["[Nobody has answered yet, and an answer was promised by 09:32 EST.]"]
        assert after_greeting(here)[1:] == []
        here.works(2 * 60)
        assert after_greeting(here)[1:] == [LATE]
        assert notes(here)[1:] == [
            "[An answer was promised by 09:32 EST, and nobody has answered; the consumer was told that it takes longer.]"
        ]
        here.works(3600)
        here.answers("Now.")
        assert after_greeting(here)[1:] == [LATE, "Now."]
    events = [json.loads(line)["event"] for line in logged.getvalue().splitlines()]
    assert [event for event in events if event.startswith("promise")] == ["promise_at_risk", "promise_late"]


# seconds from the first text to the agent's answer; whether it was late
AROUND = [("a second before", 599, False), ("a second after", 601, True)]


@pytest.mark.parametrize(("seconds", "is_late"), [case[1:] for case in AROUND], ids=[case[0] for case in AROUND])
def test_an_agent_around_the_sla(database_url: str, tmp_path: Path, seconds: float, is_late: bool) -> None:
    with acme(database_url, tmp_path) as here:
        here.accepts()
        here.writes("My bill is wrong")
        here.works()
        here.works(seconds)
        here.answers("Hello.")
        here.works(60)
        assert after_greeting(here)[1:] == [LATE, "Hello."][not is_late :]


def test_ten_texts_get_one_of_each(database_url: str, tmp_path: Path) -> None:
    with acme(database_url, tmp_path) as here:
        here.accepts()
        for number in range(10):
            here.writes(f"text {number}")
            here.works(60)
        here.works(60)
        assert after_greeting(here) == ["We have it; an agent answers by 9:32 AM.", LATE]


# when the text comes, in New York; what is said; what would be late, and when (seconds later)
CLOSED_AT = [
    (
        "in the evening",
        datetime(2026, 3, 3, 1, 30, tzinfo=UTC),
        "tomorrow at 8 AM, by tomorrow at 8:10 AM",
        11.5 * 3600 + 600,
    ),
    (
        "on Saturday evening, clocks go forward that night",
        datetime(2026, 3, 8, 3, 30, tzinfo=UTC),
        "on Monday at 8 AM, by Monday at 8:10 AM",
        32.5 * 3600 + 600,
    ),
    (
        "on Saturday, clocks go back that night",
        datetime(2026, 10, 31, 20, 0, tzinfo=UTC),
        "on Monday at 8 AM, by Monday at 8:10 AM",
        41 * 3600 + 600,
    ),
    (
        "on New Year's Eve, closed on the holiday and open on Saturday",
        datetime(2027, 1, 1, 2, 0, tzinfo=UTC),
        "on Saturday at 9 AM, by Saturday at 9:10 AM",
        36 * 3600 + 600,
    ),
]


@pytest.mark.parametrize(
    ("at", "promised", "late"), [case[1:] for case in CLOSED_AT], ids=[case[0] for case in CLOSED_AT]
)
def test_out_of_hours_it_is_said_when_they_open(
    database_url: str, tmp_path: Path, at: datetime, promised: str, late: float
) -> None:
    hours = {"open": HOURS, "holidays": ["US"]}
    with acme(database_url, tmp_path, at, hours=hours) as here:
        here.accepts()
        here.writes("My bill is wrong")
        here.works()
        here.writes("Hello?")
        here.works()
        (told,) = after_greeting(here)
        opens, by = promised.split(", by ")
        assert told == f"We have it; we are closed and answer {opens}, by {by} at the latest. ({HOURS})"
        here.works(late - 5)
        assert after_greeting(here)[1:] == []
        here.works(10)
        assert after_greeting(here)[1:] == [LATE]


def test_a_text_that_comes_after_closing_is_told_so_once(database_url: str, tmp_path: Path) -> None:
    with acme(database_url, tmp_path, hours=HOURS) as here:
        here.accepts()
        here.writes("My bill is wrong")
        here.works()
        here.answers("It is mended.")
        here.works(11 * 3600)
        for _ in range(3):
            here.writes("Is it?")
            here.works()
        assert after_greeting(here)[2:] == [
            f"We have it; we are closed and answer tomorrow at 8 AM, by tomorrow at 8:10 AM at the latest. ({HOURS})"
        ]


def test_an_agent_who_works_late_is_there(database_url: str, tmp_path: Path) -> None:
    with acme(database_url, tmp_path, hours=HOURS, expect={"closed": "We are closed."}) as here:
        here.accepts()
        here.writes("My bill is wrong")
        here.works(11 * 3600)
        here.answers("Still here.")
        here.writes("Good!")
        here.works()
        assert after_greeting(here) == ["Still here."]


def test_the_desk_closes(database_url: str, tmp_path: Path) -> None:
    with acme(database_url, tmp_path) as here:
        here.accepts()
        here.writes("My bill is wrong")
        here.works()
        here.desk.close(here.conversation.id)
        here.works()
        here.works(3600)
        assert after_greeting(here)[1:] == ["Thank you for texting Acme Air."]
        assert notes(here) == []


def test_what_an_automatic_message_says_is_no_answer(database_url: str, tmp_path: Path) -> None:
    with acme(database_url, tmp_path) as here:
        here.accepts()
        here.writes("My bill is wrong")
        here.works()
        metadata = {"id": "auto", "role": "CONTROLLER"}
        here.told(WORDS, said(here.conversation.id, 5, "An agent will be with you.", originatorMetadata=metadata))
        here.works(601)
        assert after_greeting(here)[1:] == ["An agent will be with you.", LATE]


def test_what_twilio_was_too_busy_for_is_not_said_when_it_is_true_no_longer(database_url: str, tmp_path: Path) -> None:
    with acme(database_url, tmp_path) as here:
        here.accepts()
        here.doors.twilio.fails = [SendError("busy", retry_after=120)]
        here.writes("My bill is wrong")
        here.works()
        here.answers("Hello.")
        assert after_greeting(here) == ["We have it; an agent answers by 9:32 AM.", "Hello."]
        here.works(600)
        assert after_greeting(here)[2:] == []
        assert here.states("expectation") == ["failed"]


def test_a_promise_survives_a_restart(database_url: str, tmp_path: Path) -> None:
    """It is a row: another process keeps it, and what the first one said is not said again."""
    with acme(database_url, tmp_path) as before:
        before.accepts()
        before.writes("My bill is wrong")
        before.works()
        assert len(after_greeting(before)) == 1
        then = before.doors.clock.now
    flow = brand(tmp_path, change=lambda data: data.update(expect={"late": LATE}))
    with talking(database_url, {"acme": flow}, first_id=5 * 10**5) as here:
        here.doors.clock.now = then
        here.works(599)
        assert here.texted() == []
        here.works(1)
        here.works(3600)
        assert here.texted() == [LATE]


# what a deploy changes while a promise waits; what is texted and noted after ten minutes
DEPLOYS = [
    ("takes the desk away", {"desk": None}, [], []),
    ("promises more time", {"sla": "1 hour"}, [LATE], ["[An answer was promised by 09:32 EST, and nobody has answered; "]),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "texted", "noted"), [case[1:] for case in DEPLOYS], ids=[case[0] for case in DEPLOYS])
def test_a_deploy_while_a_promise_waits(
    database_url: str, tmp_path: Path, keys: dict[str, Any], texted: list[str], noted: list[str]
) -> None:
    with acme(database_url, tmp_path) as before:
        before.accepts()
        before.writes("My bill is wrong")
        before.works()
        then = before.doors.clock.now

    def change(data: dict[str, Any]) -> None:
        data["expect"] = {"late": LATE}
        data["branches"]["billing"].update({name: value for name, value in keys.items() if value})
        if "desk" in keys:
            del data["desk"]

    with talking(database_url, {"acme": brand(tmp_path, change=change)}, first_id=5 * 10**5) as here:
        here.doors.clock.now = then
        here.works(601)
        assert here.texted() == texted
        rows = here.doors.rows("SELECT body FROM messages WHERE kind = 'note'")
        assert [row[0][: len(start)] for row, start in zip(rows, noted, strict=True)] == noted


def test_one_that_cannot_be_said_keeps_no_other_from_going_out(
    database_url: str, tmp_path: Path, logged: io.StringIO
) -> None:
    def change(data: dict[str, Any]) -> None:
        data["expect"] = {"late": LATE}
        data["branches"]["bookings"].update(sla="9 minutes")

    flow = brand(tmp_path, change=change)
    bad = replace(flow.branches["bookings"], expect=Expect(late=Words("", "{{ nothing }}")))
    flow = replace(flow, branches={**flow.branches, "bookings": bad})
    with talking(database_url, {"acme": flow}) as here:
        for branch, caller in (("bookings", "+14155552672"), ("billing", CALLER)):
            here.accepts(branch, caller)
            here.writes("Hello?", consumer=caller)
        here.works()
        here.works(3600)
        assert here.texted()[2:] == [LATE]
    assert '"event": "expectation_failed"' in logged.getvalue()


def test_after_an_outage_only_the_broken_promise_is_told(database_url: str, tmp_path: Path) -> None:
    with acme(database_url, tmp_path) as here:
        here.accepts()
        here.writes("My bill is wrong")
        here.works()
        here.works(3600)
        assert after_greeting(here)[1:] == [LATE]
        assert [note[:30] for note in notes(here)] == ["[An answer was promised by 09:"]


def test_stop_ends_it(database_url: str, tmp_path: Path) -> None:
    with acme(database_url, tmp_path, follow_up=FOLLOW_UP) as here:
        here.accepts()
        here.writes("My bill is wrong")
        here.works()
        here.writes("STOP", OptOutType="STOP")
        here.works(601)
        here.works(3 * 3600)
        assert after_greeting(here) == ["We have it; an agent answers by 9:32 AM."]


def test_after_stop_agents_are_neither_warned_nor_told_that_the_consumer_was(
    database_url: str, tmp_path: Path, logged: io.StringIO
) -> None:
    with acme(database_url, tmp_path) as here:
        here.accepts()
        here.writes("My bill is wrong")
        here.works()
        here.writes("STOP", OptOutType="STOP")
        here.works(479)
        here.works(200)
        assert notes(here) == ["[The consumer opted out of texts (STOP): answers do not reach them any more.]"]
        assert here.states("expectation") == ["sent"]
    assert "promise_" not in logged.getvalue()


def test_a_conversation_that_no_branch_explains_is_promised_nothing(database_url: str, tmp_path: Path) -> None:
    with acme(database_url, tmp_path, expect=EXPECT | {"closed": "We answer {{ opens }}."}, hours=HOURS) as here:
        here.writes("Hello?")
        here.works(3600)
        here.works(3600)
        assert here.texted() == []


# who is called from where, how long after the call (hours), and whether the follow-up is there by then
FOLLOWED = [
    ("two hours later", CALLER, 2.01, True),
    ("a little before", CALLER, 1.99, False),
]


@pytest.mark.parametrize(
    ("caller", "hours", "there"), [case[1:] for case in FOLLOWED], ids=[case[0] for case in FOLLOWED]
)
def test_one_follow_up(database_url: str, tmp_path: Path, caller: str, hours: float, there: bool) -> None:
    with acme(database_url, tmp_path, follow_up=FOLLOW_UP) as here:
        here.accepts(caller=caller)
        here.works(hours * 3600)
        assert after_greeting(here) == [FOLLOWED_UP] * there
        here.works(24 * 3600)
        here.works(24 * 3600)
        assert after_greeting(here) == [FOLLOWED_UP]


def written(here: Talking) -> None:
    here.writes("Yes!")


def stopped(here: Talking) -> None:
    here.writes("STOP")


def called_again(here: Talking) -> None:
    here.works(3600)
    here.accepts()


# what the consumer does meanwhile; how many follow-ups come of it
MEANWHILE = [("writes", written, 0), ("says STOP", stopped, 0), ("accepts another offer", called_again, 1)]


@pytest.mark.parametrize(("does", "count"), [case[1:] for case in MEANWHILE], ids=[case[0] for case in MEANWHILE])
def test_who_did_something_is_not_followed_up(
    database_url: str, tmp_path: Path, does: Callable[[Talking], None], count: int
) -> None:
    with acme(database_url, tmp_path, follow_up=FOLLOW_UP, expect={}) as here:
        here.accepts()
        here.works(60)
        does(here)
        for _ in range(5):
            here.works(3600)
        assert here.texted().count(FOLLOWED_UP) == count


# the call's time in UTC; when the follow-up comes (hours later): a Californian's night is not over at 8 in New York
NIGHTS = [
    (
        "21:00 in California",
        datetime(2026, 3, 3, 3, 30, tzinfo=UTC),
        12.4,
        12.6,
    ),  # 19:30 there, due 21:30, 8:00 is 16:00Z
    ("before it", datetime(2026, 3, 3, 2, 50, tzinfo=UTC), 1.99, 2.1),  # due 20:50 there
]


@pytest.mark.parametrize(("at", "not_yet", "then"), [case[1:] for case in NIGHTS], ids=[case[0] for case in NIGHTS])
def test_nobody_is_followed_up_by_night(
    database_url: str, tmp_path: Path, at: datetime, not_yet: float, then: float
) -> None:
    with acme(database_url, tmp_path, at, follow_up=FOLLOW_UP) as here:
        here.accepts()
        steps = int(not_yet * 12)
        for _ in range(steps):
            here.works(300, rounds=2)
        here.works(not_yet * 3600 - steps * 300)
        assert after_greeting(here) == []
        here.works((then - not_yet) * 3600)
        assert after_greeting(here) == [FOLLOWED_UP]


def test_a_follow_up_that_was_held_up_does_not_come_by_night(database_url: str, tmp_path: Path) -> None:
    """20:50 in California; Twilio is too busy until after nine."""
    with acme(database_url, tmp_path, datetime(2026, 3, 3, 2, 55, tzinfo=UTC), follow_up=FOLLOW_UP) as here:
        here.accepts()
        here.works()
        here.doors.twilio.fails = [SendError("busy", retry_after=600)]
        here.works(2 * 3600)
        here.works(600)
        here.works(12 * 3600)
        assert after_greeting(here) == [FOLLOWED_UP]  # the one that Twilio did not take
        assert here.states("expectation") == ["failed"]


def test_a_change_that_closes_is_not_said_twice(database_url: str, tmp_path: Path) -> None:
    with acme(database_url, tmp_path) as here:
        here.accepts()
        here.writes("My bill is wrong")
        here.works()
        here.desk.close(here.conversation.id)
        here.works()
        here.told(CHANGE)
        here.works()
        assert after_greeting(here)[1:] == ["Thank you for texting Acme Air."]


def test_a_native_desk_s_consumers_are_not_followed_up(database_url: str, tmp_path: Path) -> None:
    """Their answers go to LivePerson itself: nobody here knows whether there was one."""
    with acme(database_url, tmp_path, desk={"native": {}}, expect={}, follow_up=FOLLOW_UP) as here:
        here.accepts()
        here.works(2.01 * 3600)
        assert after_greeting(here) == []


def test_who_wrote_again_does_not_hear_that_it_has_ended(database_url: str, tmp_path: Path) -> None:
    """Twilio is too busy for the words of the end; meanwhile a new conversation has begun."""
    with acme(database_url, tmp_path) as here:
        here.accepts()
        here.writes("My bill is wrong")
        here.works()
        here.doors.twilio.fails = [SendError("busy", retry_after=60)]
        here.desk.close(here.conversation.id)
        here.works(1)
        here.writes("One more thing")
        here.works(120)
        # The second is the one that Twilio did not take.
        promise = "We have it; an agent answers by 9:32 AM."
        assert after_greeting(here) == [promise, "Thank you for texting Acme Air.", promise]
        assert here.states("expectation") == ["sent", "failed", "sent"]


def test_an_agent_s_last_words_that_come_after_the_end_do_not_take_it_back(database_url: str, tmp_path: Path) -> None:
    """LivePerson tells of words and of changes apart, and either may overtake the other."""
    with acme(database_url, tmp_path) as here:
        here.accepts()
        here.writes("My bill is wrong")
        here.works()
        here.desk.close(here.conversation.id)
        here.desk.flush()
        here.told(WORDS, said(here.conversation.id, 50, "Goodbye."))
        here.works(3)
        assert sorted(after_greeting(here)[1:]) == ["Goodbye.", "Thank you for texting Acme Air."]


# when the text comes, in UTC, half a minute before what is said of it is not so: 7:59:30 and 23:59:30 in New York
NOT_SO_ANY_MORE = [
    ("it has opened", datetime(2026, 3, 3, 12, 59, 30, tzinfo=UTC)),
    ("tomorrow is today", datetime(2026, 3, 4, 4, 59, 30, tzinfo=UTC)),
]


@pytest.mark.parametrize("at", [case[1] for case in NOT_SO_ANY_MORE], ids=[case[0] for case in NOT_SO_ANY_MORE])
def test_what_is_said_of_the_opening_is_so_when_it_is_sent(database_url: str, tmp_path: Path, at: datetime) -> None:
    with acme(database_url, tmp_path, at, hours=HOURS) as here:
        here.accepts()
        here.works()
        here.doors.twilio.fails = [SendError("busy", retry_after=60)]
        here.writes("My bill is wrong")
        here.works(1)
        assert len(after_greeting(here)) == 1  # the one that Twilio did not take
        here.works(120)
        assert len(after_greeting(here)) == 1
        assert here.states("expectation") == ["failed"]
