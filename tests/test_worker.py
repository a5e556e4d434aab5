"""The worker: what waits is sent once, what is unclear is asked about, what is too late is given up."""

import io
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from ivr import lookalikes
from ivr.cli.main import main
from ivr.clients.failure import SendError
from ivr.clients.twilio import Listed
from ivr.store import outbox
from ivr.worker import THREADS, Worker
from tests.doors import CALLER, SECRET_KEY, Doors

ACCEPT = "/voice/acme/billing?step=answer"
BUSY = SendError("busy", code=20429)
UNCLEAR = SendError("no answer", unclear=True)
OUTAGE = SendError("down", unclear=True)
GREETING = (
    "Thank you for choosing to connect with Acme Air by text. Please type your issue and we will be with you within "
    "10 minutes. Reply STOP to opt out."
)


def at_once(work: Callable[[], None]) -> Future[None]:
    """A thread pool that does its work before it says it took it."""
    done: Future[None] = Future()
    try:
        work()
        done.set_result(None)
    except Exception as error:
        done.set_exception(error)
    return done


@pytest.fixture
def worker(doors: Doors) -> Worker:
    return Worker(doors.runtime)


def states(doors: Doors) -> list[Any]:
    return [row[0] for row in doors.rows("SELECT state FROM messages ORDER BY created_at, id")]


def listed(**changes: Any) -> Listed:
    return replace(Listed("SM" + "a" * 32, GREETING, "+14155550111", True, "sent", None), **changes)


def test_a_busy_twilio_is_asked_again_until_it_takes_the_text(doors: Doors, worker: Worker) -> None:
    doors.twilio.fails = [BUSY, BUSY]
    doors.voice(ACCEPT, Digits="1")
    worker.round(at_once)
    assert len(doors.twilio.sent) == 1, "not before its time"
    doors.clock.pass_(seconds=2)
    worker.round(at_once)
    doors.clock.pass_(seconds=4)
    worker.round(at_once)
    assert (len(doors.twilio.sent), states(doors)) == (3, ["sent"])


def test_what_twilio_asks_for_is_waited(doors: Doors, worker: Worker) -> None:
    doors.twilio.fails = [SendError("busy", code=20429, retry_after=60.0)]
    doors.voice(ACCEPT, Digits="1")
    doors.clock.pass_(seconds=59)
    worker.round(at_once)
    assert len(doors.twilio.sent) == 1
    doors.clock.pass_(seconds=1)
    worker.round(at_once)
    assert states(doors) == ["sent"]


def test_a_greeting_is_given_up_after_an_hour_and_requeued_by_a_person(
    doors: Doors,
    worker: Worker,
    logged: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    doors.twilio.fails = [BUSY] * 1000
    doors.voice(ACCEPT, Digits="1")
    for _ in range(80):
        doors.clock.pass_(minutes=1)
        worker.round(at_once)
    tried = len(doors.twilio.sent)
    assert states(doors) == ["dead"]
    assert 12 < tried < 60
    assert logged.getvalue().count('"event": "text_dead"') == 1
    monkeypatch.setenv("DATABASE_URL", doors.runtime.settings.database_url)
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    ((message_id,),) = doors.rows("SELECT id FROM messages")
    assert main(["worker", "--list"]) == 0
    line = capsys.readouterr().out
    assert line.startswith(f"{message_id}  dead  +1(415) ***-**71  {tried} attempts")
    assert main(["worker", "--requeue", "nothing"]) == 1
    assert main(["worker", "--requeue", message_id]) == 0
    assert main(["worker", "--requeue", message_id]) == 1, "it is not dead any more"
    assert states(doors) == ["due"]


def test_a_dead_text_that_arrived_all_the_same_is_delivered(doors: Doors, worker: Worker) -> None:
    doors.twilio.fails = [UNCLEAR]
    doors.twilio.listed = OUTAGE
    doors.voice(ACCEPT, Digits="1")
    with doors.runtime.database.writes() as tx:
        tx.exec_driver_sql("UPDATE messages SET state = 'dead'")
    path = doors.twilio.sent[0]["callback"].removeprefix("https://ivr.example.com")
    doors.post(path, {"MessageSid": "SM9", "MessageStatus": "delivered"})
    assert states(doors) == ["delivered"]


def test_an_unclear_text_is_left_to_its_callback_for_a_minute(doors: Doors, worker: Worker) -> None:
    doors.twilio.fails = [UNCLEAR]
    doors.voice(ACCEPT, Digits="1")
    doors.clock.pass_(seconds=59)
    worker.round(at_once)
    assert states(doors) == ["unclear"]
    path = doors.twilio.sent[0]["callback"].removeprefix("https://ivr.example.com")
    doors.post(path, {"MessageSid": "SM9", "MessageStatus": "sent"})
    doors.clock.pass_(seconds=61)
    worker.round(at_once)
    assert (states(doors), len(doors.twilio.sent)) == (["sent"], 1)


FOUND = [
    ("the same words", listed(), "sent"),
    ("delivered already", listed(state="delivered"), "delivered"),
    ("failed already", listed(state="failed", code=30006), "failed"),
    ("a trial account's sentence before it", listed(body=f"Sent from your Twilio trial account - {GREETING}"), "sent"),
    ("white space trimmed", listed(body=f" {GREETING}\n"), "sent"),
    ("other words", listed(body="Something else"), "due"),
    ("an inbound text", listed(outbound=False), "due"),
    ("another sender", listed(sender="+14155550121"), "due"),
]


@pytest.mark.parametrize(("found", "ends"), [case[1:] for case in FOUND], ids=[case[0] for case in FOUND])
def test_after_a_minute_twilio_is_asked(doors: Doors, worker: Worker, found: Listed, ends: str) -> None:
    doors.twilio.fails = [UNCLEAR]
    doors.twilio.listed = [found]
    doors.voice(ACCEPT, Digits="1")
    doors.clock.pass_(seconds=61)
    worker.round(at_once)
    assert states(doors) == [ends]
    assert len(doors.twilio.sent) == 1
    if ends == "due":
        worker.round(at_once)
        assert (states(doors), len(doors.twilio.sent)) == (["sent"], 2)


def test_what_stays_unclear_long_after_its_time_is_a_person_s(
    doors: Doors, worker: Worker, logged: io.StringIO
) -> None:
    doors.twilio.fails = [UNCLEAR]
    doors.twilio.listed = SendError("forbidden", permanent=True, code=20003)
    doors.voice(ACCEPT, Digits="1")
    doors.clock.pass_(minutes=119)
    worker.round(at_once)
    assert states(doors) == ["unclear"]
    for _ in range(12):
        doors.clock.pass_(minutes=1)
        worker.round(at_once)
    assert states(doors) == ["dead"]
    assert '"level": "error", "event": "text_still_unclear"' in logged.getvalue()
    doors.voice(ACCEPT, Digits="1")
    assert len(doors.twilio.sent) == 2, "the next one goes on"


def test_no_answer_about_it_leaves_it_unclear(doors: Doors, worker: Worker) -> None:
    doors.twilio.fails = [UNCLEAR]
    doors.twilio.listed = OUTAGE
    doors.voice(ACCEPT, Digits="1")
    for _ in range(10):
        doors.clock.pass_(minutes=5)
        worker.round(at_once)
    assert (states(doors), len(doors.twilio.sent)) == (["unclear"], 1)


def test_one_message_at_twilio_settles_one_row(doors: Doors, worker: Worker) -> None:
    doors.twilio.fails = [UNCLEAR, UNCLEAR]
    doors.voice(ACCEPT, "CA1", Digits="1")
    doors.voice(ACCEPT, "CA2", Digits="1", From="+14155552672")
    doors.twilio.listed = [listed()]
    doors.clock.pass_(seconds=61)
    worker.round(at_once)
    assert sorted(states(doors)) == ["due", "sent"]


def test_a_lease_that_ran_out_makes_the_text_unclear_not_due(doors: Doors, worker: Worker) -> None:
    doors.voice(ACCEPT, Digits="1")
    with doors.runtime.database.writes() as tx:
        tx.exec_driver_sql("UPDATE messages SET state = 'sending', provider_id = NULL")
    doors.twilio.listed = OUTAGE
    doors.clock.pass_(seconds=39)
    worker.round(at_once)
    assert states(doors) == ["sending"]
    doors.clock.pass_(seconds=2)
    worker.round(at_once)
    assert (states(doors), len(doors.twilio.sent)) == (["unclear"], 1)


def test_a_later_text_to_the_same_number_waits_for_the_earlier(doors: Doors, worker: Worker) -> None:
    doors.twilio.fails = [UNCLEAR]
    doors.twilio.listed = OUTAGE
    doors.voice(ACCEPT, "CA1", Digits="1")
    doors.clock.pass_(seconds=1)
    assert doors.voice("/voice/acme/bookings?step=answer", "CA2", Digits="1").words.startswith("A text to the number")
    doors.clock.pass_(seconds=61)
    worker.round(at_once)
    assert (states(doors), len(doors.twilio.sent)) == (["unclear", "due"], 1)
    doors.twilio.listed = []
    doors.clock.pass_(seconds=60)
    worker.round(at_once)
    worker.round(at_once)
    worker.round(at_once)
    assert states(doors) == ["sent", "sent"]
    assert [sent["body"][:30] for sent in doors.twilio.sent[1:]] == [GREETING[:30], "Thank you for texting Acme Air"]


def test_two_workers_never_take_the_same_text(doors: Doors) -> None:
    doors.twilio.fails = [BUSY] * 30
    for number in range(30):
        doors.voice(ACCEPT, f"CA{number}", Digits="1", From=f"+1415555{3000 + number}")
    doors.clock.pass_(seconds=10)
    before = len(doors.twilio.sent)
    workers = [
        threading.Thread(target=lambda: [Worker(doors.runtime).round(at_once) for _ in range(4)]) for _ in range(4)
    ]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    assert len(doors.twilio.sent) - before == 30
    assert set(states(doors)) == {"sent"}


def test_with_every_thread_taken_nothing_is_claimed(doors: Doors, worker: Worker) -> None:
    """The counting is begun beside as many attempts as there are threads: then fewer than none are free."""
    held: list[Future[None]] = []

    def hold(work: Callable[[], None]) -> Future[None]:
        held.append(Future())
        return held[-1]

    doors.twilio.fails = [BUSY] * (THREADS + 3)
    for caller in range(THREADS + 3):
        doors.voice(ACCEPT, f"CA{caller}", From=f"+14155553{caller:03}", Digits="1")
    doors.clock.pass_(minutes=5)
    assert worker.round(hold)
    assert len(held) == THREADS + 1, "the attempts, and the counting"
    assert not worker.round(hold)
    assert len(held) == THREADS + 1
    assert states(doors).count("due") == 3, "they are left for who has a thread for them"


def test_what_is_in_its_attempt_is_no_work(doors: Doors, worker: Worker) -> None:
    """A round that had it for work would take the database's lock each time that anything else is heard of."""
    doors.twilio.fails = [BUSY]
    doors.voice(ACCEPT, Digits="1")
    doors.clock.pass_(minutes=5)
    worker.round(lambda work: Future())
    assert states(doors) == ["sending"]
    with doors.runtime.database.reads() as tx:
        for seconds, due, overdue in ((0, False, False), (30, False, False), (41, False, True)):
            moment = doors.clock.now + timedelta(seconds=seconds)
            assert (outbox.has_due(tx, moment), outbox.has_overdue(tx, moment)) == (due, overdue), seconds


def test_a_worker_that_is_ended_begins_nothing(doors: Doors, worker: Worker) -> None:
    """It may have waited for the database meanwhile, and an attempt would outlast the host's patience."""
    doors.twilio.fails = [BUSY]
    doors.voice(ACCEPT, Digits="1")
    doors.clock.pass_(minutes=5)
    worker.end()
    assert not worker.round(at_once)
    assert states(doors) == ["due"]


def test_a_stop_after_the_yes_is_obeyed_by_the_worker(doors: Doors, worker: Worker) -> None:
    doors.twilio.fails = [BUSY]
    doors.voice(ACCEPT, Digits="1")
    doors.post("/messages", {"MessageSid": "SM1", "From": CALLER, "To": "+14155550111", "Body": "STOP"})
    doors.clock.pass_(seconds=10)
    worker.round(at_once)
    assert len(doors.twilio.sent) == 1
    assert doors.rows("SELECT state FROM messages WHERE kind = 'greeting'") == [("failed",)]


def test_what_was_learned_of_numbers_is_forgotten_by_the_clock(doors: Doors, worker: Worker) -> None:
    doors.twilio.fails = [SendError("x", permanent=True, code=21614)]
    doors.voice(ACCEPT, Digits="1")
    worker.round(at_once)
    assert doors.rows("SELECT count(*) FROM number_facts") == [(1,)]
    doors.clock.pass_(days=91)
    worker.round(at_once)
    assert doors.rows("SELECT count(*) FROM number_facts") == [(0,)]


def test_a_worker_that_runs_is_woken_and_stops(doors: Doors) -> None:
    doors.twilio.fails = [BUSY]
    doors.voice(ACCEPT, Digits="1")
    doors.clock.pass_(seconds=10)
    sent = threading.Event()
    doors.twilio.meanwhile = sent.set
    worker = Worker(doors.runtime)
    thread = threading.Thread(target=worker.run_here)
    thread.start()
    assert sent.wait(10)
    worker.end()
    thread.join(10)
    assert not thread.is_alive()
    assert states(doors) == ["sent"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("It’s “here” — now…", 'It\'s "here" - now...'),
        ("a\u00a0b\u200b", "a b"),
        (" two\n lines ", "two lines"),
        ("naïve ½", "naïve ½"),
    ],
)
def test_look_alikes(ours: str, theirs: str) -> None:
    assert lookalikes.folded(ours) == lookalikes.folded(theirs)


def test_different_words_stay_different() -> None:
    assert lookalikes.folded("within 10 minutes") != lookalikes.folded("within 1O minutes")


def test_a_claim_reads_the_unfinished_alone(doors: Doors, worker: Worker) -> None:
    """The plan of every question that a round asks, with many finished rows in the table."""
    with doors.runtime.database.writes() as tx:
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
        columns = "id, kind, state, number, sender, body, created_at, updated_at, attempts"
        row = "CAST(i AS VARCHAR(20)), 'inbound', 'received', CAST(i AS VARCHAR(20)), 'x', 'x', '2026-01-01', '2026-01-01', 0"
        if tx.dialect.name == "postgresql":
            row = row.replace("'2026-01-01'", "timestamptz '2026-01-01'")
        tx.exec_driver_sql(f"{numbers}INSERT INTO messages ({columns}) SELECT {row} FROM n" if tx.dialect.name == "postgresql"
                           else f"INSERT INTO messages ({columns}) {numbers}SELECT {row} FROM n")  # fmt: skip
    with doors.runtime.database.writes() as tx:
        tx.exec_driver_sql("ANALYZE")
    plans = _plans(doors, worker)
    assert len(plans) >= 4
    for statement, plan in plans.items():
        assert "ix_messages_unfinished" in plan, f"{statement}\n{plan}"
        assert "SCAN messages\n" not in f"{plan}\n"
        assert "Seq Scan on messages" not in plan
        # SQLite plans a statement anew at each use when a parameter may decide whether a partial index serves.
        asked = re.split(r"\sWHERE\s", statement, maxsplit=1)[1]
        assert not re.search(r"\.(state|kind) (=|!=|<>|IN|NOT IN) \(?[?%:]", asked), statement


def _plans(doors: Doors, worker: Worker) -> dict[str, str]:
    """Every SELECT and UPDATE of a round on the messages, with its plan."""
    asked: list[tuple[str, Any]] = []
    engine = doors.runtime.database.engine

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if "messages" in statement and "WHERE" in statement:
            asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    worker.round(at_once)
    event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN " if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    with doors.runtime.database.writes() as tx:
        return {
            statement: "\n".join(str(row[-1]) for row in tx.exec_driver_sql(explain + statement, parameters))
            for statement, parameters in asked
        }
