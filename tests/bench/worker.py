"""The worker: texts a second, how soon an idle one starts, and a claim among two hundred thousand finished rows."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from ivr import config, log, runtime
from ivr.flow.load import load_directory
from ivr.sandbox.town import ROOT, SECRET_KEY
from ivr.store import schema
from ivr.store.database import Database, opened_once
from ivr.store.tables import messages
from ivr.worker import Worker, start
from tests.bench.figures import BenchFailed, Figure, at_least, at_most
from tests.bench.postgres import own_database
from tests.bench.servers import environment
from tests.bench.slow_twilio import slow_twilio

TEXTS = 1500
FINISHED = 200_000
WAKES = 40


def worker(directory: Path) -> Iterator[Figure]:
    """What `make bench` prints of the worker."""
    log.start("error")
    with own_database() as postgresql:
        databases = {"SQLite": f"sqlite:///{directory / 'worker.db'}"}
        if postgresql is None:
            yield Figure("worker: PostgreSQL cannot be reached, so not measured on it", "")
        else:
            databases["PostgreSQL"] = postgresql
            rates = {count: _rate(postgresql, count, directory) for count in (1, 2)}
            yield at_least("worker: texts a second, one process, Twilio 100 ms", rates[1], 100, "/s")
            yield at_least("worker: texts a second, two processes : one", rates[2] / rates[1], 1.6, "x", 2)
        for name, url in databases.items():
            yield at_most(f"worker: idle to started, p50, {name}", _wake_seconds(url) * 1000, 50, "ms", 1)
        for name, url in databases.items():
            what = f"worker: a claim among {FINISHED:,} finished : among none, {name}"
            yield at_most(what, _claim_ratio(url), 1.2, "x")


def _rate(url: str, processes: int, directory: Path) -> float:
    with opened_once(config.read({"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY}).database_url) as database:
        _fill(database, TEXTS * processes, "due")
        with slow_twilio(0.1) as twilio:
            settings = environment(
                directory, ROOT / "flows", DATABASE_URL=url, TWILIO_API_URL=twilio, LOG_LEVEL="error"
            )
            running = [
                subprocess.Popen([sys.executable, "-m", "ivr", "worker"], cwd=ROOT, env=settings)
                for _ in range(processes)
            ]
            try:
                return _sent_a_second(database, TEXTS * processes)
            finally:
                for process in running:
                    process.terminate()
                for process in running:
                    process.wait(30)


def _sent_a_second(database: Database, total: int) -> float:
    """Between the first tenth and the last, so that starting and ending do not count."""
    marks: list[tuple[float, int]] = []
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up:
        with database.reads() as tx:
            sent = int(tx.execute(text("SELECT count(*) FROM messages WHERE state = 'sent'")).scalar_one())
        if 0.1 * total < sent < 0.9 * total:
            marks.append((time.monotonic(), sent))
        if sent >= total:
            break
        time.sleep(0.1)
    else:
        raise BenchFailed("the worker did not send its texts")
    (began, first), (ended, last) = marks[0], marks[-1]
    with database.writes() as tx:
        tx.execute(text("DELETE FROM messages"))
    return (last - first) / (ended - began)


def _wake_seconds(url: str) -> float:
    started: list[float] = []
    settings = config.read({"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})
    with opened_once(settings.database_url) as database:
        schema.upgrade(database)
    here = runtime.build(settings, load_directory(ROOT / "flows").flows)
    here.delivery.texts.twilio.send_text = lambda *_: started.append(time.monotonic()) or f"SM{len(started)}"  # type: ignore[method-assign, func-returns-value]
    stop, took = start(here), []
    time.sleep(1)
    for number in range(WAKES):
        _fill(here.database, 1, "due", first=number)
        committed = time.monotonic()
        here.bell.ring()
        while len(started) <= number:
            time.sleep(0.0005)
        took.append(started[number] - committed)
        time.sleep(0.02)
    stop()
    here.database.close()
    return statistics.median(took)


def _claim_ratio(url: str) -> float:
    settings = config.read({"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})
    here = runtime.build(settings, load_directory(ROOT / "flows").flows)
    with here.database.writes() as tx:
        tx.execute(text("DELETE FROM messages"))
    empty = _claim_seconds(here)
    _fill(here.database, FINISHED, "delivered", first=10_000)
    with here.database.writes() as tx:
        tx.exec_driver_sql("ANALYZE")
    full = _claim_seconds(here)
    here.database.close()
    return full / empty


def _claim_seconds(here: runtime.Runtime) -> float:
    took = []
    for number in range(30):
        _fill(here.database, 10, "due", first=10 * number)
        began = time.perf_counter()
        Worker(here).round(_never)
        took.append(time.perf_counter() - began)
        with here.database.writes() as tx:
            # By the partial index: a scan of all rows in between would leave the claim a cold cache.
            tx.execute(text("DELETE FROM messages WHERE state IN ('due', 'sending', 'unclear')"))
    return statistics.median(took)


def _never(_work: Callable[[], object]) -> Future[None]:
    """A claim without its attempts: the claim is what is measured."""
    return Future()


def _fill(database: Database, count: int, state: str, first: int = 0) -> None:
    now = datetime.now(UTC) - timedelta(seconds=1)
    rows: list[dict[str, Any]] = [
        {
            "id": f"{number:032x}", "kind": "inbound" if state == "delivered" else "greeting", "state": state, "brand": "acme",
            "number": f"+1{2120000000 + number}", "destination": f"+1{2120000000 + number}", "sender": "+14155550111",
            "body": "Hello", "created_at": now, "updated_at": now, "attempts": 0, "started_at": now, "next_try": now,
            "give_up_at": now + timedelta(hours=1),
        }
        for number in range(first, first + count)
    ]  # fmt: skip
    with database.writes() as tx:
        tx.execute(insert(messages), rows)
