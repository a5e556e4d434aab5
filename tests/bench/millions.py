"""The dashboard over ten million calls that are there row by row: the counting of them, and each page over HTTP."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from ivr.sandbox.town import ROOT
from ivr.store import schema
from ivr.store.counts import Counting, roll_up
from ivr.store.database import Database, opened_once
from tests.bench import ten_million
from tests.bench.dashboard import PAGES, PASSWORD
from tests.bench.figures import BenchFailed, Figure, at_most, percentile
from tests.bench.postgres import own_database
from tests.bench.servers import environment, running

COUNTED = Counting({"acme": "en-US"}, ["STOP"])
MORE = {
    "funnel, a year by channel": "?span=365d&by=channel",
    "funnel, a year by week": "?span=365d&by=week",
    "funnel, a year by day": "?span=365d&by=day",
    "funnel as CSV, a year by day": "/funnel.csv?span=365d&by=day",
    "failures as CSV, a year": "/failures.csv?span=365d",
    "reasons as CSV, a year": "/reasons.csv?span=365d",
    "the last thousand calls as CSV": "/calls.csv",
}


def millions(directory: Path) -> Iterator[Figure]:
    """On each kind of database; a quarter of an hour each, and 8 GB of disk."""
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=ten_million.DAYS)
    file = directory / "ivr.db"
    with opened_once(f"sqlite:///{file}") as database:
        schema.upgrade(database)
    yield from ten_million.in_sqlite(file, begin)
    yield from _timed(directory, f"sqlite:///{file}", "SQLite")
    file.unlink()
    with own_database("_millions") as url:
        if url:
            yield from ten_million.in_postgresql(url, begin)
            yield from _timed(directory, url.replace("postgresql://", "postgresql+psycopg://", 1), "PostgreSQL")


def _timed(directory: Path, url: str, kind: str) -> Iterator[Figure]:
    with opened_once(url) as database:
        yield Figure(f"{kind}: counting them all, the first time", f"{_counted(database):.0f} s")
        yield at_most(f"{kind}: counting after a minute in which nothing came", _counted(database), 2.0, "s")
    settings = environment(
        directory, ROOT / "flows", DATABASE_URL=url, DASHBOARD_PASSWORD=PASSWORD, WEB_CONCURRENCY="1"
    )
    with running(directory, settings) as server, requests.Session() as person:
        person.post(f"{server.url}/dashboard/login", data={"password": PASSWORD}, headers={"Origin": server.url})
        pages = {name: f"/dashboard{path}" for name, path in {**PAGES, **MORE}.items() if path != "metrics"}
        pages |= {"metrics": "/metrics", "one call's story": _a_story(person, server.url)}
        for name, path in pages.items():
            took = [_took(person, f"{server.url}{path}") for _ in range(10)]
            yield at_most(f"{kind}, {ten_million.CALLS:,} calls: {name}", percentile(took, 90), 300.0, "ms", digits=0)


def _counted(database: Database) -> float:
    began = time.monotonic()
    roll_up(database, COUNTED, datetime.now(UTC))
    return time.monotonic() - began


def _a_story(person: requests.Session, url: str) -> str:
    found = re.search(r'href="(/dashboard/call\?id=[^"]+)"', person.get(f"{url}/dashboard/now").text)
    if found is None:
        raise BenchFailed("No call is listed.")
    return found[1]


def _took(person: requests.Session, url: str) -> float:
    """Milliseconds."""
    began = time.monotonic()
    answer = person.get(url, auth=("operator", PASSWORD) if url.endswith("/metrics") else None)
    took = (time.monotonic() - began) * 1000
    if answer.status_code != 200:
        raise BenchFailed(f"{url} answered {answer.status_code}.")
    return took
