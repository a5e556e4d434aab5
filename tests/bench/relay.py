"""The relay: an inbound text's answer beside a plain signed route's, texts a second to a slow desk, and how soon."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import insert

from ivr import config
from ivr.sandbox.town import ROOT, SECRET_KEY
from ivr.store import schema
from ivr.store.database import Database, opened_once
from ivr.store.tables import conversations, messages
from tests.bench import webhooks
from tests.bench.beside import compared
from tests.bench.figures import BenchFailed, Figure, at_least, at_most
from tests.bench.load import Load, prepared
from tests.bench.postgres import own_database
from tests.bench.servers import PLAIN, Server, environment, running
from tests.bench.slow_desk import SETTINGS, SlowDesk, slow_desk

SECONDS, RATE = 5, 100  # texts a second come in, as many as one worker has to relay
CONVERSATIONS, TEXTS = 200, 10
IDLE = 40


def relay(directory: Path) -> Iterator[Figure]:
    """What `make bench` prints of texts that go to a desk."""
    yield from _answered(directory)
    with own_database() as postgresql:
        databases = {"SQLite": f"sqlite:///{directory / 'relay.db'}"}
        if postgresql is None:
            yield Figure("relay: PostgreSQL cannot be reached, so not measured on it", "")
        else:
            databases["PostgreSQL"] = postgresql
        for name, url in databases.items():
            rate = _rate(url, directory, name)
            yield at_least(f"relay: texts a second, one worker, desk 100 ms, {name}", rate, 100, "/s")
    took = _idle_seconds(directory)
    yield at_most("relay: arrival to the desk's request, idle, p50, SQLite", took * 1000, 150, "ms", 1)


def _answered(directory: Path) -> Iterator[Figure]:
    """Both under the same arrivals, in runs that take turns; ours relays what it takes meanwhile."""
    with slow_desk(0.1) as desk:
        settings = environment(directory, ROOT / "flows", LIVEPERSON_API_URL=desk.url, LOG_LEVEL="error", **SETTINGS)
        plain_settings = environment(directory, ROOT / "flows", LOG_LEVEL="error")
        with running(directory, settings) as ours, running(directory, plain_settings, PLAIN) as plain:
            both = compared(ours, plain, _arrivals)
    yield from both.figures(f"relay: p99 of an inbound text at {RATE} /s", 2.0)


def _arrivals(server: Server, run: int) -> Load:
    first = run * RATE * SECONDS
    return Load(
        server.url,
        range(first, first + RATE * SECONDS),
        32,
        1 / RATE,
        path=webhooks.MESSAGES,
        says=webhooks.TAKEN,
        consumers=CONVERSATIONS,
        workers=server.workers,
    )


def _rate(url: str, directory: Path, name: str) -> float:
    settings = config.read({"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})
    with opened_once(settings.database_url) as database, slow_desk(0.1) as desk:
        schema.upgrade(database)
        _fill(database)
        environ = environment(
            directory, ROOT / "flows", DATABASE_URL=url, LIVEPERSON_API_URL=desk.url, LOG_LEVEL="error", **SETTINGS
        )
        running = subprocess.Popen([sys.executable, "-m", "ivr", "worker"], cwd=ROOT, env=environ)
        try:
            arrived = _all_published(desk)
        finally:
            running.terminate()
            running.wait(30)
    tenth = len(arrived) // 10  # starting and ending do not count
    return (len(arrived) - 2 * tenth) / (arrived[-tenth] - arrived[tenth])


def _all_published(desk: SlowDesk) -> list[float]:
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up:
        got = desk.published()
        if sum(map(len, got.values())) >= CONVERSATIONS * TEXTS:
            break
        time.sleep(0.2)
    else:
        raise BenchFailed("the worker did not relay its texts")
    for texts in got.values():
        if [words for _, words in texts] != [f"text {number}" for number in range(TEXTS)]:
            raise BenchFailed("the order was not kept")
    return sorted(at for texts in got.values() for at, _ in texts)


def _fill(database: Database) -> None:
    now = datetime.now(UTC) - timedelta(seconds=60)
    names = [f"{number:032x}" for number in range(CONVERSATIONS)]
    theirs = [f"+1{2120000000 + number}" for number in range(CONVERSATIONS)]
    with_desk: list[dict[str, Any]] = [
        {
            "id": name, "brand": "acme", "desk": "liveperson", "number": number, "sender": "+14155550111",
            "state": "open", "desk_id": f"open-{name}", "context_line": "", "started_at": now, "changed": 0,
        }
        for name, number in zip(names, theirs, strict=True)
    ]  # fmt: skip
    texts: list[dict[str, Any]] = [
        {
            "id": f"{turn * CONVERSATIONS + place:032x}", "kind": "inbound", "towards": "desk", "state": "due",
            "brand": "acme", "number": number, "sender": "+14155550111", "body": f"text {turn}",
            "conversation_id": name, "created_at": now + timedelta(milliseconds=turn), "updated_at": now,
            "attempts": 0, "started_at": now, "next_try": now, "give_up_at": now + timedelta(hours=72),
        }
        for turn in range(TEXTS)
        for place, (name, number) in enumerate(zip(names, theirs, strict=True))
    ]  # fmt: skip
    with database.writes() as tx:
        tx.execute(insert(conversations), with_desk)
        tx.execute(insert(messages), texts)


def _idle_seconds(directory: Path) -> float:
    """One consumer writes now and then; from the moment it is sent to the one when the desk is asked."""
    took = []
    with slow_desk(0.0) as desk:
        settings = environment(directory, ROOT / "flows", LIVEPERSON_API_URL=desk.url, LOG_LEVEL="error", **SETTINGS)
        with running(directory, settings) as ours:
            for number in range(IDLE):
                one = range(number, number + 1)
                load = Load(ours.url, one, 1, path=webhooks.MESSAGES, says=webhooks.TAKEN, consumers=1)
                with prepared(load) as start:
                    began = time.monotonic()
                    start()
                    took.append(_arrival(desk, number) - began)
                time.sleep(0.05)
    return median(took[1:])  # the first one opens the conversation


def _arrival(desk: SlowDesk, number: int) -> float:
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        texts = [each for got in desk.published().values() for each in got]
        if len(texts) > number:
            return texts[number][0]
        time.sleep(0.002)
    raise BenchFailed("a text did not reach the desk")
