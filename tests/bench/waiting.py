"""Waiting: what a hundred thousand expectations cost the worker while none of them is due."""

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from ivr import config, log, runtime
from ivr.flow.load import load_directory
from ivr.sandbox.town import ROOT, SECRET_KEY
from ivr.store import schema
from ivr.store.tables import expectations
from ivr.worker import Worker
from tests.bench.figures import Figure, at_most
from tests.bench.postgres import own_database

WAITING, RUNS, ROUNDS = 100_000, 7, 300


def waiting(directory: Path) -> Iterator[Figure]:
    """Rounds with nothing to do, before and after they are planned."""
    log.start("error")
    with own_database() as postgresql:
        databases = {"SQLite": f"sqlite:///{directory / 'waiting.db'}"}
        if postgresql:
            databases["PostgreSQL"] = postgresql
        else:
            yield Figure("waiting: PostgreSQL cannot be reached, so not measured on it", "")
        for name, url in databases.items():
            what = f"waiting: an idle round of the worker among {WAITING:,} expectations : among none, {name}"
            yield at_most(what, _ratio(url), 1.1, "x")


def _ratio(url: str) -> float:
    settings = config.read({"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})
    built = runtime.build(settings, load_directory(ROOT / "flows").flows)
    schema.upgrade(built.database)
    worker = Worker(built)
    _seconds(worker)
    without = statistics.median(_seconds(worker) for _ in range(RUNS))
    due_at = datetime.now(UTC) + timedelta(hours=1)
    rows = [
        {"conversation_id": f"{number:032x}", "name": "late", "due_at": due_at + timedelta(seconds=number)}
        for number in range(WAITING)
    ]
    with built.database.writes() as tx:
        tx.execute(insert(expectations), rows)
    _seconds(worker)
    among = statistics.median(_seconds(worker) for _ in range(RUNS))
    built.database.close()
    return among / without


def _none_is_begun(*_work: object) -> Future[None]:
    raise AssertionError("nothing was due")


def _seconds(worker: Worker) -> float:
    began = time.process_time()
    for _ in range(ROUNDS):
        worker.round(_none_is_begun)
    return time.process_time() - began
