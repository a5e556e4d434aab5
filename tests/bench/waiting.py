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

WAITING, RUNS, ROUNDS = 100_000, 21, 300


def waiting(directory: Path) -> Iterator[Figure]:
    """Rounds with nothing to do, of a worker that has them before it and one that has not, in runs that take turns."""
    log.start("error")
    with own_database() as first, own_database("_beside") as second:
        databases = {"SQLite": (f"sqlite:///{directory / 'none.db'}", f"sqlite:///{directory / 'many.db'}")}
        if first and second:
            databases["PostgreSQL"] = (first, second)
        else:
            yield Figure("waiting: PostgreSQL cannot be reached, so not measured on it", "")
        for name, (none, many) in databases.items():
            without, among = _worker(none, 0), _worker(many, WAITING)
            ratio = statistics.median(_seconds(among) / _seconds(without) for _ in range(RUNS))
            what = f"waiting: an idle round of the worker among {WAITING:,} expectations : among none, {name}"
            yield at_most(what, ratio, 1.1, "x")
            for each in (without, among):
                each.runtime.database.close()


def _worker(url: str, count: int) -> Worker:
    settings = config.read({"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})
    built = runtime.build(settings, load_directory(ROOT / "flows").flows)
    schema.upgrade(built.database)
    due_at = datetime.now(UTC) + timedelta(hours=1)
    rows = [
        {"conversation_id": f"{number:032x}", "name": "late", "due_at": due_at + timedelta(seconds=number)}
        for number in range(count)
    ]
    if rows:
        with built.database.writes() as tx:
            tx.execute(insert(expectations), rows)
    worker = Worker(built)
    _seconds(worker)
    return worker


def _none_is_begun(*_work: object) -> Future[None]:
    raise AssertionError("nothing was due")


def _seconds(worker: Worker) -> float:
    began = time.process_time()
    for _ in range(ROUNDS):
        worker.round(_none_is_begun)
    return time.process_time() - began
