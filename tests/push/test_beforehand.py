"""What is asked before a yes: who is reachable by a push, whatever a directory says; and once, what line a number is."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ivr import numbers
from ivr.clients.directory import BrandDirectory, Rows
from ivr.clients.failure import SendError
from ivr.clients.lookup import AT_ONCE, Lookup
from ivr.clients.twilio import Account, Twilio
from ivr.delivery.beforehand import Beforehand
from ivr.flow.model import Channel, Flow
from ivr.store import calls, known, line_types
from ivr.store.calls import Call
from ivr.store.database import Database, opened_once
from tests.databases import emptied
from tests.desks import brand
from tests.doors import CALLER, Moment

NUMBER = numbers.read(CALLER)
LATELY, LONG_AGO = datetime(2026, 2, 20, tzinfo=UTC), datetime(2025, 2, 20, tzinfo=UTC)


class Told(BrandDirectory):
    """A directory that says what the test says."""

    def __init__(self, says: Callable[[], Rows]) -> None:
        self.says = says

    def rows(self, number: str) -> Rows:
        return self.says()


class FakeLookup(Lookup):
    def __init__(self, answer: str | SendError = "mobile") -> None:
        self.answer, self.asked = answer, 0

    def line_type(self, number: str) -> str:
        self.asked += 1
        if isinstance(self.answer, SendError):
            raise self.answer
        return self.answer


@pytest.fixture
def database_url(shared_database: str) -> str:
    return emptied(shared_database)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened_once(database_url) as opened:
        yield opened


@pytest.fixture
def acme_app(tmp_path: Path) -> Flow:
    def with_app(data: dict[str, Any]) -> None:
        data["push"] = {"fcm": {"key_env": "ACME_FCM_KEY"}}
        data["channels"] = ["push", "sms"]
        data["lookup"] = "yes"

    return brand(tmp_path, change=with_app)


def beforehand(
    database: Database, says: Any = (), lookup: Lookup | None = None, clock: Moment | None = None
) -> Beforehand:
    told = Told(says if callable(says) else lambda: list(says))
    return Beforehand(database, {"acme": told}, lookup or FakeLookup(), clock or Moment())


@pytest.mark.parametrize(
    ("rows", "tokens"),
    [
        pytest.param([], [], id="unknown"),
        pytest.param([{"token": "d1"}], ["d1"], id="a row alone says enrolled"),
        pytest.param([{"token": "d1", "enrolled": True}], ["d1"], id="enrolled"),
        pytest.param([{"token": "d1", "enrolled": 0}], [], id="not enrolled"),
        pytest.param([{"token": "d1", "enrolled": "no"}], [], id="not enrolled in words"),
        pytest.param([{"token": "d1", "enrolled": None}], [], id="enrolled unknown"),
        pytest.param([{"token": "d1", "enrolled": False, "last_active": LATELY}], ["d1"], id="active of late"),
        pytest.param([{"token": "d1", "enrolled": None, "last_active": LATELY}], ["d1"], id="unknown, but active"),
        pytest.param([{"token": "d1", "enrolled": " Off "}], [], id="off"),
        pytest.param([{"token": "d1", "last_active": LATELY.date()}], ["d1"], id="a day, as PostgreSQL has it"),
        pytest.param([{"token": "d1", "last_active": "2026-02-20"}], ["d1"], id="a day, as SQLite has it"),
        pytest.param([{"token": "d1", "last_active": LONG_AGO.date()}], [], id="a day long ago"),
        pytest.param([{"token": "d1", "last_active": LONG_AGO}], [], id="long ago"),
        pytest.param([{"token": "d1", "last_active": "2026-03-01 10:00:00"}], ["d1"], id="text, no zone"),
        pytest.param([{"token": "d1", "last_active": 1772359200}], ["d1"], id="seconds"),
        pytest.param([{"token": "d1", "last_active": "soon"}], [], id="no time"),
        pytest.param([{"token": "d1", "last_active": float("inf")}], [], id="no time either"),
        pytest.param(
            [{"token": "old", "last_active": LONG_AGO, "enrolled": 1}, {"token": "new", "last_active": LATELY}],
            ["new", "old"],
            id="the last used first",
        ),
        pytest.param([{"token": "d1"}, {"token": "d1"}], ["d1"], id="once"),
        pytest.param([{"token": None}, {"nothing": 1}, {}], [], id="no token"),
        pytest.param([{"token": 5}, {"token": b"d1"}, {"token": ["d1"]}], [], id="no text"),
        pytest.param(
            [{"token": "d\n1"}, {"token": "dé"}, {"token": "d" * 1001}, {"token": "a b"}], [], id="no token's"
        ),
        pytest.param([{"token": "d1", "platform": {"x": 1}, "external_id": object()}], ["d1"], id="lies beside it"),
    ],
)
def test_who_is_reachable(database: Database, acme_app: Flow, rows: Rows, tokens: list[str]) -> None:
    assert [device["token"] for device in beforehand(database, rows).devices(acme_app, NUMBER)] == tokens


def fails(error: Exception) -> Callable[[], Rows]:
    def raises() -> Rows:
        raise error

    return raises


def test_a_directory_that_fails_is_skipped(database: Database, acme_app: Flow, logged: Any) -> None:
    assert beforehand(database, fails(SendError("did not answer in time"))).devices(acme_app, NUMBER) == []
    assert "directory_skipped" in logged.getvalue()
    assert CALLER not in logged.getvalue()


@pytest.mark.parametrize(("answer", "why"), [("mobile", None), ("landline", "landline"), ("", None), ("new", None)])
def test_a_line_is_looked_up_once_in_90_days(database: Database, acme_app: Flow, answer: str, why: str | None) -> None:
    clock, lookup = Moment(), FakeLookup(answer)
    here = beforehand(database, lookup=lookup, clock=clock)
    for _ in range(3):
        here.look_up(acme_app, NUMBER)
        clock.pass_(minutes=5)
    assert lookup.asked == 1
    with database.reads() as tx:
        assert line_types.why_not(tx, CALLER, clock()) == why
        assert line_types.why_not(tx, CALLER, clock() + timedelta(days=90)) is None
    clock.pass_(days=90)
    here.look_up(acme_app, NUMBER)
    assert lookup.asked == 2


def test_a_lookup_that_fails_is_open_and_not_repeated_for_an_hour(database: Database, acme_app: Flow) -> None:
    clock, lookup = Moment(), FakeLookup(SendError("no answer"))
    here = beforehand(database, lookup=lookup, clock=clock)
    here.look_up(acme_app, NUMBER)
    here.look_up(acme_app, NUMBER)
    assert lookup.asked == 1
    with database.reads() as tx:
        assert line_types.why_not(tx, CALLER, clock()) is None
    clock.pass_(minutes=61)
    here.look_up(acme_app, NUMBER)
    assert lookup.asked == 2


@pytest.mark.parametrize("may", [True, False])
def test_a_line_is_looked_up_for_who_may_wait_for_it(database: Database, acme_app: Flow, may: bool) -> None:
    lookup = FakeLookup("mobile")
    branch = replace(acme_app.branches["billing"], channels=("sms",))
    beforehand(database, lookup=lookup, clock=Moment()).ask(acme_app, branch, "1", CALLER, may)
    assert lookup.asked == may


def test_many_at_once_look_up_once(database_url: str, acme_app: Flow) -> None:
    lookup = FakeLookup()
    with opened_once(database_url) as shared:
        here = beforehand(shared, lookup=lookup)
        threads = [threading.Thread(target=here.look_up, args=(acme_app, NUMBER)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert lookup.asked == 1


def test_what_sends_taught_us_is_used_first(database: Database, acme_app: Flow) -> None:
    lookup, clock = FakeLookup(), Moment()
    with database.writes() as tx:
        known.learn_number(tx, CALLER, known.EVERY_SENDER, "landline", 30006, clock())
    beforehand(database, lookup=lookup, clock=clock).look_up(acme_app, NUMBER)
    assert lookup.asked == 0


def test_what_whatsapp_taught_says_nothing_of_the_line(database: Database, acme_app: Flow) -> None:
    lookup, clock = FakeLookup("landline"), Moment()
    with database.writes() as tx:
        known.learn_number(tx, CALLER, "whatsapp:+14155550112", "not_on_channel", 63024, clock())
    beforehand(database, lookup=lookup, clock=clock).look_up(acme_app, NUMBER)
    assert lookup.asked == 1


# the key that said yes, and by which channel it goes: what is asked of a number that is keyed in after it
KEYED = [("1", ["d1"], 0), ("2", [], 1), ("9", ["d1"], 0)]


@pytest.mark.parametrize(("key", "tokens", "lookups"), KEYED, ids=["push", "a text", "the key for another number"])
def test_of_a_keyed_in_number_the_key_that_said_yes_decides(
    database: Database, acme_app: Flow, key: str, tokens: list[str], lookups: int
) -> None:
    """Not the key that confirms the number, which may be any of these."""
    branch = acme_app.branches["billing"]
    ways: dict[str, Channel] = {"1": "push", "2": "sms"}
    branch = replace(branch, choices=ways, channels=("sms",) if key == "2" else ("push", "sms"), other_number="9")
    call, clock, lookup = Call("CA1", "acme", "billing", "anonymous", ""), Moment(), FakeLookup()
    with database.writes() as tx:
        calls.accept(tx, call, "billing", key, clock())
    here = beforehand(database, [{"token": "d1"}], lookup, clock)
    found = here.keyed_in(acme_app, branch, call, CALLER)
    assert ([device["token"] for device in found], lookup.asked) == (tokens, lookups)


def test_another_ivr_s_choice_decides_and_its_keys_do_not(database: Database, acme_app: Flow) -> None:
    branch, lookup = acme_app.branches["billing"], FakeLookup()
    here = beforehand(database, [{"token": "d1"}], lookup)
    assert here.invited(acme_app, branch, CALLER)
    assert lookup.asked == 0, "a push comes first"
    assert here.invited(acme_app, branch, CALLER, "sms")
    assert lookup.asked == 1
    alone = replace(branch, channels=("sms",))
    assert (here.invited(acme_app, alone, CALLER), bool(here.invited(acme_app, alone, CALLER, "push"))) == ([], True)


def test_nothing_is_asked_unless_the_file_says_so(database: Database, acme: Flow) -> None:
    lookup = FakeLookup()
    here = beforehand(database, fails(AssertionError("asked")), lookup)
    assert here.ask(acme, acme.branches["billing"], "1", CALLER) == []
    assert lookup.asked == 0


def test_a_twilio_that_hangs_is_waited_for_1_5_seconds() -> None:
    now = [0.0]
    twilio = Twilio(Account("AC" + "0" * 32, "t", api_url="http://127.0.0.1:1"), 1, lambda: now[0])
    assert twilio.deadline(1.5) == 1.5
    with pytest.raises(SendError):
        Lookup(twilio).line_type(CALLER)


class HangingTwilio(Twilio):
    """Its host's address is never found; no time-out of a connection counts there."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.begun = threading.Semaphore(0)

    def deadline(self, seconds: float = 20.0) -> float:
        return seconds

    @contextmanager
    def asked(self, deadline: float) -> Iterator[Any]:
        self.begun.release()
        self.over.wait(20)
        raise SendError("no address")
        yield


def test_a_host_whose_address_is_not_found_is_not_waited_for() -> None:
    twilio = HangingTwilio()
    lookup = Lookup(twilio, seconds=0.01)
    try:
        for _ in range(AT_ONCE):
            with pytest.raises(SendError, match="in time"):
                lookup.line_type(CALLER)
        with pytest.raises(SendError, match="has not answered others"):
            lookup.line_type(CALLER)
    finally:
        twilio.over.set()
    assert all(twilio.begun.acquire(timeout=5) for _ in range(AT_ONCE))
    assert not twilio.begun.acquire(blocking=False), "no thread waits for what nobody wants"
