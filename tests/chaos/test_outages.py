"""Outages: Twilio away, the database away, the disk full, clocks that jump; what was accepted arrives once."""

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import requests
from sqlalchemy import event, text

from ivr.clients.failure import SendError
from ivr.flow.load import load_directory
from ivr.sandbox.town import ROOT
from ivr.worker import Worker
from tests.chaos.fleet import Fleet, fleet
from tests.databases import SERVER, new_database
from tests.doors import ACCOUNT_SID, CALLER, Doors, opened_doors
from tests.test_worker import at_once

ACCEPT = "/voice/acme/billing?step=answer"


def test_twilio_away_for_ten_minutes(doors: Doors, capsys: pytest.CaptureFixture[str]) -> None:
    """Virtual minutes. Everything accepted meanwhile arrives once, soon after Twilio is back."""
    worker, accepted = Worker(doors.runtime), {}
    for minute in range(10):
        for caller in range(3):
            doors.twilio.fails = [SendError("Twilio could not be reached")] * 100
            number = f"+1415555{3000 + 10 * minute + caller}"
            heard = doors.voice(ACCEPT, f"CA{number}", From=number, Digits="1")
            assert heard.words.startswith("A text to the number ending in")
            accepted[number] = doors.clock.now
        for _ in range(6):
            doors.twilio.fails = [SendError("Twilio could not be reached")] * 100
            doors.clock.pass_(seconds=10)
            worker.round(at_once)
    doors.twilio.fails, tried = [], len(doors.twilio.sent)
    for _ in range(40):
        doors.clock.pass_(seconds=10)
        worker.round(at_once)
    arrived = Counter(sent["to"] for sent in doors.twilio.sent[tried:])
    took = [seconds for (seconds,) in _seconds(doors)]
    with capsys.disabled():
        print(f"\nTwilio away for ten minutes: accepted 30, texts {sum(arrived.values())}, lost {30 - len(arrived)}, "
              f"doubled {sum(arrived.values()) - len(arrived)}; a text took {min(took):.0f} to {max(took):.0f} s")  # fmt: skip
    assert (len(arrived), set(arrived.values())) == (30, {1})
    assert {state for (state,) in doors.rows("SELECT state FROM messages")} == {"sent"}
    assert max(took) < 10 * 60 + 5 * 60 + 30, "no text waits much longer than the longest back-off"


def _seconds(doors: Doors) -> list[tuple[float]]:
    seconds = {
        "sqlite": "(julianday(updated_at) - julianday(created_at)) * 86400",
        "postgresql": "extract(epoch FROM updated_at - created_at)",
    }
    return [(float(row[0]),) for row in doors.rows(f"SELECT {seconds[doors.runtime.database.dialect]} FROM messages")]


@pytest.fixture
def on_postgresql(tmp_path: Path) -> Iterator[Fleet]:
    with (
        new_database("postgresql", tmp_path) as url,
        fleet(url, tmp_path, WEB_CONCURRENCY="2", WORKER="separate", DATABASE_CONNECTIONS="3") as built,
    ):
        yield built


def test_the_database_is_away_in_the_middle(on_postgresql: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    here = on_postgresql
    here.web()
    worker = here.start("ivr", "worker")
    over, name = threading.Event(), here.database.engine.url.database
    form = {"MessageSid": "SM1", "AccountSid": ACCOUNT_SID, "From": CALLER, "To": "+14155550111", "Body": "hello"}

    def callers() -> None:
        while not over.is_set():
            assert here.accept() == 200, "a caller always hears something"

    with ThreadPoolExecutor(4) as pool, psycopg.connect(SERVER, autocommit=True) as server:
        calling = [pool.submit(callers) for _ in range(3)]
        threading.Event().wait(2)
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        assert here.webhooks.post("/messages", form).status == 503
        assert requests.get(f"{here.webhooks.app_url}/readyz", timeout=10).status_code == 503
        led = here.webhooks.post("/voice/acme/billing", {**form, "CallSid": "CA1"})
        assert b"<Enqueue" in led.body
        assert b"<Gather" not in led.body
        threading.Event().wait(2)
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        threading.Event().wait(2)
        over.set()
        for caller in calling:
            caller.result()
    assert here.webhooks.post("/messages", form).status == 200
    assert requests.get(f"{here.webhooks.app_url}/readyz", timeout=10).status_code == 200
    assert b"<Gather" in here.webhooks.post("/voice/acme/billing", {**form, "CallSid": "CA2"}).body
    count = here.settle(150)
    with capsys.disabled():
        print(f"\nPostgreSQL away in the middle: {count}")
    assert (count.lost, count.doubled) == (0, 0)
    assert count.accepted > 20
    assert worker.poll() is None, "the worker lives on"


def test_connections_are_bounded_listener_included(on_postgresql: Fleet) -> None:
    here = on_postgresql
    here.web()
    here.start("ivr", "worker")
    open_now = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name <> 'test'"
    most = 0
    with ThreadPoolExecutor(20) as pool, psycopg.connect(SERVER, autocommit=True, application_name="test") as server:
        accepts = [pool.submit(here.accept) for _ in range(200)]
        while not all(accept.done() for accept in accepts):
            row = server.execute(open_now, (here.database.engine.url.database,)).fetchone()
            most = max(most, int(str(row[0])) if row else 0)
        assert {accept.result() for accept in accepts} == {200}
    ours = 2  # the fleet's own, with which it counts
    assert 3 <= most <= 3 * 3 + ours


def test_the_disk_is_full(tmp_path: Path) -> None:
    """SQLite cannot write: callers are led to a person, texts are not taken; then there is room again."""
    flows = load_directory(ROOT / "flows").flows
    with new_database("sqlite", tmp_path) as url, opened_doors(url, flows) as doors:
        database, most = doors.runtime.database, {"pages": 40}
        assert database.line
        engine, connect = database.engine, database.line.connect

        def limited() -> sqlite3.Connection:
            connection = connect()
            connection.execute(f"PRAGMA max_page_count={most['pages']}")
            return connection

        database.line.connect = limited
        event.listen(engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count={most['pages']}"))
        form = {"From": CALLER, "To": "+14155550111", "Body": "x" * 1500}
        for number in range(200):
            taken = doors.post("/messages", {**form, "MessageSid": f"SM{number}"}).status_code
            if taken != 200:
                break
        assert taken == 503
        for _ in range(2000):  # a smaller row may still have found room
            if (heard := doors.voice("/voice/acme/billing").names) == ["Enqueue"]:
                break
        assert heard == ["Enqueue"]
        for last in range(500):  # each yes is a text and a row, or neither
            yes = {"From": f"+1415555{2000 + last}", "Digits": "1"}
            if (heard := doors.voice(ACCEPT, f"CA{last}", **yes).names) == ["Enqueue"]:
                break
        assert heard == ["Enqueue"]
        assert len(doors.twilio.sent) == last
        most["pages"] = 100_000
        database.close()
        assert doors.post("/messages", {**form, "MessageSid": f"SM{number}"}).status_code == 200
        assert doors.voice(ACCEPT, f"CA{last}", **yes).words.startswith("We are texting")
        assert len(doors.twilio.sent) == last + 1
        assert doors.rows("SELECT count(*) FROM messages WHERE kind = 'inbound'") == [(number + 1,)]


@pytest.mark.parametrize("jump", [3600, -3600, 30 * 86400, -30 * 86400], ids=["+1h", "-1h", "+30d", "-30d"])
def test_the_clock_jumps(doors: Doors, jump: int) -> None:
    worker = Worker(doors.runtime)
    doors.twilio.fails = [SendError("no answer", unclear=True), SendError("busy")]
    doors.voice(ACCEPT, "CA1", Digits="1")
    doors.voice(ACCEPT, "CA2", Digits="1", From="+14155552672")
    doors.clock.pass_(seconds=jump)
    worker.round(at_once)
    doors.clock.pass_(seconds=-jump)
    for _ in range(10):
        doors.clock.pass_(seconds=61)
        worker.round(at_once)
    sent = Counter(sent["to"] for sent in doors.twilio.sent)
    states = dict(doors.rows("SELECT number, state FROM messages"))
    assert states["+14155552671"] == "sent"
    assert sent["+1(415) 555-2671"] == 2, "asked about after the first attempt, and not there; then sent"
    # A clock an hour ahead makes a waiting greeting stale: given up, visibly, and not lost.
    assert states["+14155552672"] in ({"dead"} if jump > 0 else {"sent"})
    assert sent["+1(415) 555-2672"] == (1 if jump > 0 else 2)


@pytest.mark.parametrize("command", ["gunicorn", "worker"])
def test_term_finishes_what_is_under_way(command: str, tmp_path: Path) -> None:
    separate = {"WORKER": "separate"} if command == "worker" else {}
    with new_database("postgresql", tmp_path) as url, fleet(url, tmp_path, **separate) as here:
        web = here.web()
        if command == "worker":
            here.weather.set("busy")  # the web process's own attempt is put off
            here.accept()
            here.weather.set("slow")
            ended = here.start("ivr", "worker")
            while not here.carrier.texts:
                threading.Event().wait(0.05)
        else:
            here.weather.set("slow")
            here.accept()
            ended = web
        began = time.monotonic()
        ended.terminate()
        ended.wait(25)
        assert time.monotonic() - began < 25
        with here.database.reads() as tx:
            assert tx.execute(text("SELECT state FROM messages")).scalars().all() == ["sent"]
        assert len(here.carrier.texts) == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_hundred_replays_of_each_callback_at_once(kind: str, tmp_path: Path) -> None:
    with new_database(kind, tmp_path) as url, fleet(url, tmp_path, WEB_CONCURRENCY="2") as here:
        here.web()
        number, account = here.number(), {"AccountSid": ACCOUNT_SID}
        accept = {"CallSid": "CA1", "From": number, "To": "+14155550101", "Digits": "1", **account}
        text_in = {"MessageSid": "SM1", "From": number, "To": "+14155550111", "Body": "hello", **account}
        with ThreadPoolExecutor(20) as pool:
            pressed = pool.map(lambda _: here.webhooks.post(ACCEPT, accept).status, range(200))
            assert set(pressed) == {200}
            (sent,) = here.carrier.texts
            path = here.carrier.asked[0]["StatusCallback"]
            status = {"MessageSid": sent["sid"], "MessageStatus": "delivered", **account}
            for callback, form in ((path, status), ("/messages", text_in)):
                answers = pool.map(
                    lambda _, callback=callback, form=form: here.webhooks.post(callback, form).status, range(200)
                )
                assert set(answers) == {200}
        here.settle(30)
        with here.database.reads() as tx:
            rows = tx.execute(text("SELECT kind, state FROM messages ORDER BY kind")).all()
        assert rows == [("greeting", "delivered"), ("inbound", "sent")]
        assert len(here.carrier.texts) == 1
        assert [len(conversation.texts) for conversation in here.desk.conversations] == [1]


FAULTS = "late,hang,drop,cut,busy,busy-bare,error,gateway,empty,trial,smart"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_fault_of_twilio_once(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the callbacks lost and the list ten seconds behind, so that only asking Twilio settles what is unclear."""
    with new_database(kind, tmp_path) as url, fleet(url, tmp_path) as here:
        here.web()
        here.carrier.callbacks, here.carrier.lag = "lost", 10.0
        here.weather.set(f"{FAULTS},up")
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(lambda _: here.accept(), range(len(FAULTS.split(","))))) == {200}
        count = here.settle(200)
    with capsys.disabled():
        print(f"\nevery fault of Twilio once: {count}")
    assert (count.accepted, count.texts, count.lost, count.doubled) == (11, 11, 0, 0)
