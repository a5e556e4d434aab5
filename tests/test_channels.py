"""Channels: the first that reaches the consumer takes the greeting, the next only what has failed, and never two."""

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import text

from ivr import deflection, numbers
from ivr.clients.failure import SendError
from ivr.clients.twilio import Listed
from ivr.deflection import Attempted
from ivr.funnel.asked import asked as asked_for
from ivr.funnel.told import funnel
from ivr.relay import channels
from ivr.relay.channels import Reach
from ivr.sandbox.scene import Scene
from ivr.sandbox.town import ROOT, Town, town
from ivr.store import counts, known
from ivr.store.calls import Call
from ivr.store.counts import Counting
from ivr.store.database import opened_once
from ivr.worker import Worker
from tests.channelled import BRAND, CONTENT, RCS, SMS, WHATSAPP, WORDS, brand_doors, flows, works, written
from tests.databases import KINDS, emptied, new_database, sqlalchemy_url
from tests.doors import ACCOUNT_SID, CALLER, PUBLIC_URL, Doors, FakeTwilio, opened_doors
from tests.test_worker import at_once

ACCEPT = "/voice/acme/billing?step=answer"
OFFER = "Press 1 and we will text you"
BY_WHATSAPP = "We are sending a WhatsApp message to the number ending in"
BY_TEXT = "We are texting the number ending in"
CANNOT = "We are sorry, we could not text this number."
NOT_ARRIVED = "If nothing has arrived, press 1"
GOODBYE = "Thank you. Goodbye."
ALL = [WHATSAPP, RCS, SMS]


# --- over real HTTP -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=KINDS)
def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town whose brand has all channels."""
    directory = tmp_path_factory.mktemp("channels")
    with (
        new_database(request.param, directory) as url,
        town(written(directory / "flows"), url, directory / "server.log") as built,
    ):
        built.database_url = sqlalchemy_url(url)
        yield built


# name, handset, what the caller hears after the offer, who sent what, what came of each
TRIPS = [
    ("whatsapp", "whatsapp", [BY_WHATSAPP, GOODBYE], [("whatsapp", "delivered")]),
    ("no WhatsApp, but RCS", "rcs", [BY_WHATSAPP, BY_TEXT, GOODBYE], [("whatsapp", "failed"), ("rcs", "delivered")]),
    (
        "the window is closed: 63016",
        "whatsapp-closed",
        [BY_WHATSAPP, BY_TEXT],
        [("whatsapp", "failed"), ("rcs", "failed"), ("sms", "delivered")],
    ),
    (
        "a plain mobile",
        "mobile",
        [BY_WHATSAPP, BY_TEXT],
        [("whatsapp", "failed"), ("rcs", "failed"), ("sms", "delivered")],
    ),
    (
        "a landline: nothing is left, and a person is reached",
        "landline",
        [BY_WHATSAPP, CANNOT],
        [("whatsapp", "failed"), ("rcs", "failed"), ("sms", "failed")],
    ),
]


@pytest.mark.parametrize(("handset", "heard", "fared"), [trip[1:] for trip in TRIPS], ids=[trip[0] for trip in TRIPS])
def test_a_trip_by_each_channel_and_each_fall(
    here: Town, handset: str, heard: list[str], fared: list[tuple[str, str]]
) -> None:
    number = f"+1415555{3000 + len(here.carrier.asked):04d}"
    answers = ("Hello",) if handset != "landline" else ()
    scene = Scene(
        brand="acme", caller=number, keys=("1",), handset=handset, texts=("My bill",) * bool(answers), answers=answers
    )
    call, transcript = here.play(scene)
    assert call.errors == []
    said = transcript.said("ivr")
    assert said[0].startswith(OFFER)
    for words, beginning in zip(said[1:], heard, strict=False):
        assert words.startswith(beginning), transcript
    with opened_once(here.database_url) as database, database.reads() as tx:
        query = text(
            "SELECT channel, state FROM messages WHERE number = :number AND kind = 'greeting' ORDER BY created_at"
        )
        assert [tuple(row) for row in tx.execute(query, {"number": number})] == fared
    if answers:  # the consumer answered where the greeting came, and the agent's words came back there
        (conversation,) = [found for found in here.desk.conversations if found.state == "OPEN"][-1:]
        assert conversation.skill == "1234", transcript
        assert transcript.said("text")[-1] == "Hello"
        last = here.carrier.asked[-1]
        senders = {"whatsapp": WHATSAPP, "rcs": RCS, "sms": SMS}
        assert (last.get("From") or last.get("MessagingServiceSid")) == senders[fared[-1][0]]
        assert last["Body"] == "Hello"
        assert "ContentSid" not in last
    else:
        assert "is answered by a person" in transcript.said("call"), transcript


def test_read_is_in_the_rows(here: Town) -> None:
    number = "+14155552999"
    here.play(Scene(brand="acme", caller=number, keys=("1",), handset="whatsapp", texts=("Hello?",)))
    with opened_once(here.database_url) as database, database.reads() as tx:
        read = text("SELECT state, read_at FROM messages WHERE number = :number AND kind = 'greeting'")
        ((state, read_at),) = tx.execute(read, {"number": number}).all()
    assert state == "delivered"
    assert read_at


# --- one process ----------------------------------------------------------------------------------------------------


@pytest.fixture
def database_url(shared_database: str) -> str:
    return emptied(shared_database)


@pytest.fixture
def doors(database_url: str, tmp_path: Path) -> Iterator[Doors]:
    with brand_doors(database_url, tmp_path) as here:
        yield here


def status(doors: Doors, sent: int, said: str, code: int | None = None) -> None:
    asked = doors.twilio.sent[sent]
    form = {"MessageSid": f"SM{sent + 1:032x}", "MessageStatus": said} | ({"ErrorCode": str(code)} if code else {})
    assert doors.post(asked["callback"].removeprefix(PUBLIC_URL), form).status_code == 200


def senders(doors: Doors) -> list[str]:
    return [asked["sender"] for asked in doors.twilio.sent]


def fared(doors: Doors) -> list[tuple[str, str]]:
    rows = doors.rows("SELECT sender, state FROM messages WHERE kind = 'greeting'")
    return sorted(rows, key=lambda row: ALL.index(row[0]))


def test_what_each_channel_is_sent(doors: Doors) -> None:
    doors.voice(ACCEPT, Digits="1")
    status(doors, 0, "undelivered", 63024)
    works(doors)
    status(doors, 1, "undelivered", 63003)
    works(doors)
    sent = [{name: asked.get(name) for name in ("to", "sender", "body", "content")} for asked in doors.twilio.sent]
    assert sent == [
        {"to": "whatsapp:+14155552671", "sender": WHATSAPP, "body": WORDS, "content": CONTENT},
        {"to": "+14155552671", "sender": RCS, "body": WORDS, "content": None},
        {"to": "+1(415) 555-2671", "sender": SMS, "body": WORDS, "content": None},
    ]


# how the first channel fared, and after how many seconds -> which channels were asked in all
FALLS: list[tuple[str, str, int | None, float, int]] = [
    ("outside the window", "failed", 63016, 1, 2),
    ("not on WhatsApp", "undelivered", 63024, 1, 2),
    ("an error nobody knows", "failed", 63999, 1, 2),
    ("without a code", "undelivered", None, 1, 2),
    ("within ten minutes", "failed", 63016, 599, 2),
    ("after ten minutes", "failed", 63016, 601, 1),
    ("sent, and nothing more is known", "sent", None, 1, 1),
    ("delivered", "delivered", None, 1, 1),
    ("read", "read", None, 1, 1),
    ("canceled", "canceled", None, 1, 2),
    ("a word Twilio has not said so far", "huh", None, 1, 1),
    ("opted out", "failed", 21610, 1, 1),
]


@pytest.mark.parametrize(
    ("said", "code", "after", "asked"), [case[1:] for case in FALLS], ids=[case[0] for case in FALLS]
)
def test_what_leads_to_the_next_channel(doors: Doors, said: str, code: int | None, after: float, asked: int) -> None:
    doors.voice(ACCEPT, Digits="1")
    doors.clock.pass_(seconds=after)
    for _ in range(3):  # a replay changes nothing
        status(doors, 0, said, code)
        works(doors)
    assert senders(doors) == ALL[:asked]


def test_what_is_read_hours_later_is_in_the_funnel_once(doors: Doors) -> None:
    """Said twice, or of a greeting that failed: that counts no more."""
    database, counting = doors.runtime.database, Counting({"acme": "en-US"}, ["STOP"])
    doors.voice(ACCEPT, Digits="1")
    status(doors, 0, "delivered")
    asked = {"span": "7d", "by": "channel"}

    def told() -> dict[str, tuple[int | None, int | None]]:
        counts.roll_up(database, counting, doors.clock.now)
        with database.reads() as tx:
            lines = funnel(tx, asked_for(asked, ZoneInfo("UTC"), doors.clock.now)).lines
        return {line.label: (line.many("delivered"), line.many("read")) for line in lines if line.label != "(none)"}

    assert told() == {"whatsapp": (1, 0)}
    doors.clock.pass_(hours=30)
    assert told() == {"whatsapp": (1, 0)}
    for said in ("read", "delivered", "read"):
        status(doors, 0, said)
    doors.clock.pass_(minutes=1)
    assert told() == {"whatsapp": (1, 1)}
    doors.clock.pass_(hours=30)
    doors.voice(ACCEPT, From="+14155552672", Digits="1")
    for said in ("undelivered", "read"):
        status(doors, 1, said, 63024 if said == "undelivered" else None)
    works(doors)
    status(doors, 2, "read")
    doors.clock.pass_(minutes=1)
    assert told() == {"whatsapp": (1, 1), "rcs": (1, 1)}


def test_an_unclear_send_never_leads_to_the_next(doors: Doors) -> None:
    doors.twilio.fails = [SendError("no answer", unclear=True)]
    doors.twilio.listed = SendError("away", unclear=True)
    doors.voice(ACCEPT, Digits="1")
    for _ in range(20):
        works(doors, 90)
    assert (senders(doors), fared(doors)) == ([WHATSAPP], [(WHATSAPP, "unclear")])


def test_an_unclear_one_that_is_found_failed_does_while_it_is_time(doors: Doors) -> None:
    doors.twilio.fails = [SendError("no answer", unclear=True)]
    doors.twilio.listed = [Listed("SM" + "a" * 32, "the template's own words", WHATSAPP, True, "failed", 63016)]
    doors.voice(ACCEPT, Digits="1")
    works(doors, 61)
    works(doors)
    assert fared(doors) == [(WHATSAPP, "failed"), (RCS, "sent")]


def test_a_template_that_is_found_is_not_sent_again(doors: Doors) -> None:
    doors.twilio.fails = [SendError("no answer", unclear=True)]
    doors.twilio.listed = [Listed("SM" + "a" * 32, "the template's own words", WHATSAPP, True, "delivered", None)]
    doors.voice(ACCEPT, Digits="1")
    works(doors, 61)
    works(doors, 61)
    assert (senders(doors), fared(doors)) == ([WHATSAPP], [(WHATSAPP, "delivered")])


def test_refused_at_once_the_caller_hears_of_the_next(doors: Doors) -> None:
    doors.twilio.fails = [SendError("no such sender", permanent=True, code=63007)]
    heard = doors.voice(ACCEPT, "CA1", Digits="1")
    assert heard.words.startswith("A text to the number ending in")
    assert "by=rcs" in heard.action("Redirect")
    works(doors)
    assert doors.voice(heard.action("Redirect"), "CA1").words.startswith(NOT_ARRIVED)
    assert senders(doors) == [WHATSAPP, RCS]


def test_what_was_said_of_one_channel_is_said_anew_of_the_next(doors: Doors) -> None:
    heard = doors.voice(ACCEPT, "CA1", Digits="1")
    assert heard.words.startswith(BY_WHATSAPP)
    status(doors, 0, "failed", 63016)
    works(doors)
    status(doors, 1, "undelivered", 63003)
    works(doors)
    heard = doors.voice(heard.action("Redirect"), "CA1")
    assert heard.words.startswith(BY_TEXT)
    assert "by=" not in heard.action("Redirect")
    status(doors, 2, "delivered")
    assert doors.voice(heard.action("Redirect"), "CA1").words == GOODBYE


def test_it_arrived_by_the_next_before_anybody_said_so(doors: Doors) -> None:
    heard = doors.voice(ACCEPT, "CA1", Digits="1")
    status(doors, 0, "failed", 63016)
    works(doors)
    status(doors, 1, "delivered")
    heard = doors.voice(heard.action("Redirect"), "CA1")
    assert heard.words.startswith(BY_TEXT)
    assert heard.words.endswith(GOODBYE)


def test_nothing_is_left_and_another_number_is_asked_for(doors: Doors) -> None:
    heard = doors.voice(ACCEPT, "CA1", Digits="1")
    for place, code in enumerate((63024, 63003, 30006)):
        status(doors, place, "undelivered", code)
        works(doors)
    heard = doors.voice(heard.action("Redirect"), "CA1")
    assert heard.words.startswith("We are sorry, we could not text this number.")
    doors.voice("/voice/acme/billing?step=number", "CA1", Digits="4155552672#")
    (mark,) = doors.rows("SELECT entered FROM deflections")
    assert mark == ("+14155552672",)
    assert [state for _, state in fared(doors)] == ["failed"] * 3


def test_what_was_learned_is_kept_by_channel(doors: Doors) -> None:
    doors.voice(ACCEPT, Digits="1")
    status(doors, 0, "undelivered", 63024)
    works(doors)
    doors.voice(ACCEPT, Digits="1")
    assert senders(doors) == [WHATSAPP, RCS, RCS], "who is not on WhatsApp is not asked there again"
    doors.clock.pass_(days=31)
    doors.voice(ACCEPT, Digits="1")
    assert senders(doors)[-1] == WHATSAPP


@pytest.mark.parametrize("sender", ALL)
def test_a_stop_to_one_holds_for_all(doors: Doors, sender: str) -> None:
    with doors.runtime.database.writes() as tx:
        known.set_opt_out(tx, CALLER, sender, True, "text", doors.clock())
    assert doors.voice(ACCEPT, Digits="1").words.startswith("We are sorry, we could not text")
    assert doors.twilio.sent == []


def test_a_key_chooses_and_the_others_follow(database_url: str, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"accept": {"1": "sms", "2": "whatsapp"}, "channels": ["rcs", "sms"]}
    with brand_doors(database_url, tmp_path, **changes) as doors:
        doors.voice(ACCEPT, "CA1", Digits="2")
        status(doors, 0, "failed", 63016)
        works(doors)
        doors.voice(ACCEPT, "CA2", Digits="1", From="+14155552672")
        assert senders(doors) == [WHATSAPP, RCS, SMS]
        assert doors.voice(ACCEPT, "CA3", Digits="3", From="+14155552673").words.startswith("Sorry, that key")
        doors.voice(ACCEPT, "CA1", Digits="1")
        assert len(doors.twilio.sent) == 3, "one yes is one greeting, whatever is pressed after it"


def test_the_rows_of_a_push_are_for_whoever_carries_it(doors: Doors) -> None:
    """The chain knows push as a channel: it goes first to who is known to use the app, and is passed over else."""
    flow = doors.runtime.brands["acme"].flow
    branch = replace(flow.branches["billing"], channels=("push", "sms"))
    number = numbers.read(CALLER)
    with doors.runtime.database.reads() as tx:
        now = doors.clock()
        assert channels.first(tx, flow, branch, number, "1", Reach(now)) == ("sms", None)
        assert channels.first(tx, flow, branch, number, "1", Reach(now, push_to="a device")) == ("push", None)
    with doors.runtime.database.writes() as tx:
        attempt = Attempted(
            Call("CA1", "acme", "billing", CALLER, ""),
            "a" * 32,
            "b" * 32,
            True,
            now,
            (),
            devices=[{"token": "a device"}],
        )
        accepted = deflection.accept(tx, flow, branch, "1", attempt)
        assert accepted.to_send
        row = accepted.to_send
        assert (row.channel, row.sender, row.destination, row.body) == ("push", "push", "app", WORDS)


# from, to, the service it came through, whom the conversation is with
WRITTEN = [
    ("whatsapp:+14155552671", WHATSAPP, "", (CALLER, WHATSAPP)),
    ("whatsapp:+14155552671", WHATSAPP, RCS, (CALLER, WHATSAPP)),
    ("rcs:+14155552671", "rcs:acme_agent", RCS, (CALLER, RCS)),
    ("+14155552671", "+14155550199", RCS, (CALLER, RCS)),
    ("whatsapp:US.1234", WHATSAPP, "", ("whatsapp:US.1234", WHATSAPP)),
    ("+14155552671", SMS, "", (CALLER, SMS)),
]


@pytest.mark.parametrize(
    ("sent_from", "to", "service", "between"), WRITTEN, ids=[f"{case[0]} {case[2][:2]}" for case in WRITTEN]
)
def test_what_comes_by_a_channel_stays_there(
    doors: Doors, sent_from: str, to: str, service: str, between: tuple[str, str]
) -> None:
    form = {"MessageSid": "SMc1", "From": sent_from, "To": to, "Body": "Hello"} | (
        {"MessagingServiceSid": service} if service else {}
    )
    assert doors.post("/messages", form | {"AccountSid": ACCOUNT_SID}).status_code == 200
    assert doors.rows("SELECT number, sender FROM conversations") == [between]


def test_stop_by_whatsapp_is_answered_there(doors: Doors) -> None:
    form = {
        "MessageSid": "SMc1",
        "From": "whatsapp:+14155552671",
        "To": WHATSAPP,
        "Body": "Stop",
        "AccountSid": ACCOUNT_SID,
    }
    doors.post("/messages", form)
    works(doors)
    (asked,) = doors.twilio.sent
    assert (asked["to"], asked["sender"]) == ("whatsapp:+14155552671", WHATSAPP)
    assert "you get no more texts" in asked["body"]
    assert doors.voice(ACCEPT, Digits="1").words.startswith("We are sorry")


def test_another_ivr_sees_each_channel_and_chooses(database_url: str, tmp_path: Path) -> None:
    keys = "*:" + hashlib.sha256(b"a-key").hexdigest()
    whom = {"branch": "billing", "number": CALLER}
    with opened_doors(database_url, flows(tmp_path), API_KEYS=keys) as doors:
        with doors.runtime.database.writes() as tx:
            known.learn_number(tx, CALLER, WHATSAPP, "not_on_channel", 63024, doors.clock())

        def ask(path: str, **more: Any) -> Any:
            asked = doors.client.post(
                f"/api/v1/{path}", json={**whom, "brand": "acme", **more}, headers={"Authorization": "Bearer a-key"}
            )
            return asked.get_json()

        eligible = ask("eligibility")
        assert [(each["channel"], each["eligible"]) for each in eligible["channels"]] == [
            ("whatsapp", False),
            ("rcs", True),
            ("sms", True),
        ]
        assert eligible["recommended"] == "rcs"
        consent = {"prompt": "Press 1 for a text.", "key": "1"}
        shown = ask("deflections", call_id="c-1", channel="sms", consent=consent)
        assert (shown["channel"], shown["state"]) == ("sms", "pending")
        works(doors)
        status(doors, 0, "failed", 30007)
        works(doors)
        assert senders(doors) == [SMS, RCS]
        listed = doors.client.get(
            "/api/v1/deflections?brand=acme", headers={"Authorization": "Bearer a-key"}
        ).get_json()
        assert [(each["channel"], each["state"]) for each in listed["deflections"]] == [("rcs", "sent")]


def test_a_link_to_messenger_finds_the_call_again(database_url: str, tmp_path: Path) -> None:
    branch = {**BRAND["branches"]["billing"], "greeting": "Or chat: {{ messenger_link }} Reply STOP to opt out."}
    changes: dict[str, Any] = {"messenger": {"page": "acmeair"}, "branches": {"billing": branch}}
    with brand_doors(database_url, tmp_path, channels=["rcs", "sms"], **changes) as doors:
        doors.voice(ACCEPT, "CA1", Digits="1")
        status(doors, 0, "failed", 63003)
        works(doors)
        for asked in doors.twilio.sent:
            found = re.fullmatch(
                r"Or chat: https://m\.me/acmeair\?ref=([0-9a-f]{32}) Reply STOP to opt out\.", asked["body"]
            )
            assert found
            (query,) = re.findall(r"```sql\n(.*?);\n```", (ROOT / "docs" / "messenger.md").read_text(), re.DOTALL)
            assert doors.rows(query.replace("REF", found[1])) == [("CA1", "acme", "billing")]


# --- never two ------------------------------------------------------------------------------------------------------


class Sky(FakeTwilio):
    """What Twilio has, and what it says of it; each text's fate is decided when it is taken or later."""

    def __init__(self) -> None:
        super().__init__()
        self.next, self.lists = "takes", True
        self.taken: list[dict[str, Any]] = []

    def send_text(self, to: str, sender: str, body: str, callback: str, *more: Any, content: Any = None) -> str:
        how, self.next = self.next, "takes"
        if how == "busy":
            raise SendError(how)
        if how == "refuses":
            raise SendError(how, permanent=True, code=63007)
        if how == "silent, not taken":
            raise SendError(how, unclear=True)
        sid = f"SM{len(self.taken):032x}"
        self.taken.append({"sid": sid, "to": to, "body": body, "sender": sender, "callback": callback, "state": "sent"})
        if how == "silent, taken":
            raise SendError(how, unclear=True)
        return sid

    def texts_to(self, number: str, since: Any, deadline: float) -> list[Listed]:
        if not self.lists:
            raise SendError("away", unclear=True)
        there = [
            text
            for text in reversed(self.taken)
            if text["to"].startswith("whatsapp:") == number.startswith("whatsapp:")
        ]
        return [Listed(text["sid"], text["body"], text["sender"], True, text["state"], None) for text in there]


HOWS = ["takes", "busy", "refuses", "silent, taken", "silent, not taken"]


class Chain(RuleBasedStateMachine):
    """One yes, three channels, and whatever Twilio does: a second greeting is never under way beside a first."""

    kind = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()

    @initialize(how=st.sampled_from(HOWS))
    def opens(self, how: str) -> None:
        directory = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        url = sqlalchemy_url(self.stack.enter_context(new_database(self.kind, directory)))
        self.sky = Sky()
        self.doors: Doors = self.stack.enter_context(brand_doors(url, directory, self.sky))
        self.sky.next, self.began = how, self.doors.clock()
        self.doors.voice(ACCEPT, "CA1", Digits="1")

    @rule(how=st.sampled_from(HOWS))
    def works(self, how: str) -> None:
        self.sky.next = how
        Worker(self.doors.runtime).round(at_once)
        self.sky.next = "takes"

    @rule(seconds=st.sampled_from([1, 10, 41, 61, 300]))
    def waits(self, seconds: int) -> None:
        self.doors.clock.pass_(seconds=seconds)

    @rule(lists=st.booleans())
    def list_is(self, lists: bool) -> None:
        self.sky.lists = lists

    @rule(index=st.integers(0, 3), said=st.sampled_from(["sent", "delivered", "failed", "undelivered", "read"]))
    def tells(self, index: int, said: str) -> None:
        """Twilio settles a text once, and may repeat or reorder what it says of it."""
        if index < len(self.sky.taken):
            text = self.sky.taken[index]
            settled = (
                "failed" if said in ("failed", "undelivered") else "delivered" if said != "sent" else text["state"]
            )
            text["state"] = text["state"] if text["state"] in ("failed", "delivered") else settled
            said = (
                said if said == "sent" else {"failed": "undelivered", "delivered": "delivered"}.get(text["state"], said)
            )
            path = text["callback"].removeprefix(PUBLIC_URL)
            assert self.doors.post(path, {"MessageSid": text["sid"], "MessageStatus": said}).status_code == 200

    @rule()
    def presses_again(self) -> None:
        self.doors.voice(ACCEPT, "CA1", Digits="1")

    @invariant()
    def never_two(self) -> None:
        if hasattr(self, "sky"):
            there = [text for text in self.sky.taken if text["state"] != "failed"]
            assert len(there) <= 1, there
            rows = self.doors.rows("SELECT state, created_at FROM messages WHERE kind = 'greeting'")
            assert sum(state != "failed" for state, _ in rows) <= 1, rows

    def teardown(self) -> None:
        self.stack.close()


Chain.TestCase.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
TestChain = Chain.TestCase


class ChainOnPostgresql(Chain):
    """The same rules; a database takes longer to make than they do."""

    kind = "postgresql"


ChainOnPostgresql.TestCase.settings = settings(Chain.TestCase.settings, max_examples=8)
TestChainOnPostgresql = ChainOnPostgresql.TestCase
