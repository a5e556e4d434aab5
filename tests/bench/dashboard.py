"""The dashboard over ten million calls: counts and rows as they would stand, and how long each page takes."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, insert, text

from ivr import config, runtime
from ivr.app import create_app
from ivr.flow.load import load_directory
from ivr.sandbox.town import ROOT, SECRET_KEY
from ivr.store import schema
from ivr.store.count_tables import MEASURES, count_marks, hourly_counts, hourly_failures
from ivr.store.counts import MARK, Counting, roll_up, sum_up
from ivr.store.database import Database, opened_once
from tests.bench.figures import Figure, at_most, percentile
from tests.bench.postgres import own_database

NOW = datetime(2026, 3, 2, 14, 22, tzinfo=UTC)
CALLS = 10_000_000
DAYS = 400
CALLS_AN_HOUR = CALLS // (DAYS * 24)
ROWS_DAYS = 14  # whose calls are there row by row: a page looks at the newest alone
BRANCHES = ("billing", "bookings", "claims", "delivery", "")
DIALLED = ("+14155550100", "+14155550101")
REASONS = ("no_number", "region", "30005", "30003", "given_up")
PASSWORD = "a-password-for-the-bench"
PAGES = {
    "funnel, 28 days": "",
    "funnel, a year by month": "?span=365d&by=month",
    "funnel, a year by branch": "?span=365d&by=branch",
    "funnel, one brand, a week by hour": "?span=7d&by=hour&brand=acme",
    "funnel, a year by day, New York's": "?span=365d&by=day&brand=acme",
    "failures, yesterday": "/failures",
    "failures, a year": "/failures?span=365d",
    "now": "/now",
    "metrics": "metrics",
}


def dashboard(directory: Path) -> Iterator[Figure]:
    """On each kind of database; each page ten times, its slowest of these but one."""
    yield from _on(f"sqlite:///{directory}/ivr.db", "SQLite")
    with own_database("_dashboard") as url:
        if url:
            yield from _on(url.replace("postgresql://", "postgresql+psycopg://", 1), "PostgreSQL")


def _on(url: str, kind: str) -> Iterator[Figure]:
    with opened_once(url) as database:
        schema.upgrade(database)
        with database.writes() as tx:
            _write(tx)
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE" if kind == "SQLite" else "VACUUM ANALYZE"))
        yield at_most(f"{kind}: counting after a minute in which nothing came", _counted(database), 2.0, "s")
    environ = {"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY, "DASHBOARD_PASSWORD": PASSWORD}
    here = runtime.build(config.read(environ), load_directory(ROOT / "flows").flows, now=lambda: NOW)
    client = create_app(here).test_client()
    client.post("/dashboard/login", data={"password": PASSWORD})
    for name, path in PAGES.items():
        took = []
        for _ in range(10):
            began = time.monotonic()
            if path == "metrics":
                answer = client.get("/metrics", auth=("operator", PASSWORD))
            else:
                answer = client.get(f"/dashboard{path}")
            took.append((time.monotonic() - began) * 1000)
            assert answer.status_code == 200, answer.status
        yield at_most(f"{kind}, {CALLS:,} calls: {name}", percentile(took, 90), 300.0, "ms", digits=0)
    here.database.close()


def _counted(database: Database) -> float:
    roll_up(database, Counting({}, ["STOP"]), NOW)
    began = time.monotonic()
    roll_up(database, Counting({}, ["STOP"]), NOW)
    return time.monotonic() - began


def _write(tx: Connection) -> None:
    chance = random.Random(1)
    begin = NOW.replace(minute=0) - timedelta(days=DAYS)
    for day in range(DAYS):
        counts, failures = [], []
        for hour in range(24):
            for brand in ("acme", "corner-bakery", "third"):
                for branch in BRANCHES:
                    for dialled in DIALLED:
                        key = {"hour": begin + timedelta(days=day, hours=hour), "brand": brand, "branch": branch}
                        key |= {"language": "en-US", "dialled": dialled}
                        before, after = _measured(chance, bool(branch))
                        counts.append({**key, "channel": "", **before})
                        if branch:
                            key["channel"] = "sms"
                            counts.append({**key, **after})
                            failures += [{**key, "reason": reason, "failed": 1} for reason in REASONS[:3]]
        tx.execute(insert(hourly_counts), counts)
        tx.execute(insert(hourly_failures), failures)
    midnight = begin.replace(hour=0)
    sum_up(tx, [midnight + timedelta(days=day) for day in range(DAYS + 1)])
    tx.execute(insert(count_marks).values(name=MARK, upto=NOW - timedelta(minutes=1)))
    _rows(tx)


def _measured(chance: random.Random, offered: bool) -> tuple[dict[str, int], dict[str, int]]:
    """What has no channel yet, and what has one."""
    calls = max(1, CALLS_AN_HOUR // 30 + chance.randrange(-5, 6))
    left, steps = calls if offered else 0, {"calls": calls}
    for step in ("offered", "accepted", "sent", "delivered", "replied", "conversation", "closed"):
        steps[step] = left
        left = left * 3 // 4
    none = dict.fromkeys(MEASURES, 0)
    before = none | {name: steps.pop(name) for name in ("calls", "offered")}
    return before, none | steps | {"failed": steps["accepted"] - steps["sent"]}


def _rows(tx: Connection) -> None:
    """The newest calls row by row, and as many older ones as make the indexes deep; in SQL, which takes a minute."""
    many = CALLS_AN_HOUR * 24 * ROWS_DAYS
    if tx.dialect.name == "sqlite":
        series = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {many - 1})"
        source, at = "n", "strftime('%Y-%m-%d %H:%M:%f000', '2026-03-02 14:20:00', '-' || (i * {step}) || ' seconds')"
        number = "'+1415' || (2000000 + i * 7919 % 7000000)"
    else:
        series, source = "", f"generate_series(0, {many - 1}) AS n(i)"
        at = "TIMESTAMPTZ '2026-03-02 14:20:00+00' - make_interval(secs => i * {step})"
        number = "'+1415' || (2000000 + i::bigint * 7919 % 7000000)"
    at = at.format(step=round(ROWS_DAYS * 86_400 / many, 3))
    brand = "CASE i % 3 WHEN 0 THEN 'acme' WHEN 1 THEN 'corner-bakery' ELSE 'third' END"
    tx.execute(
        text(
            f"INSERT INTO calls (call_sid, brand, entry, caller, dialled, started_at) {series} "
            f"SELECT 'CA' || (i + 10000000), {brand}, 'menu', {number}, '+14155550100', {at} FROM {source}"
        )
    )
    tx.execute(
        text(
            f"INSERT INTO deflections (call_sid, brand, branch, caller, offered_at, accepted_at, number, refused) {series} "
            f"SELECT 'CA' || (i + 10000000), {brand}, 'billing', {number}, {at}, "
            f"CASE WHEN i % 3 = 0 THEN {at} END, CASE WHEN i % 3 = 0 THEN {number} END, "
            f"CASE WHEN i % 60 = 0 THEN 'region' END FROM {source}"
        )
    )
    tx.execute(
        text(
            "INSERT INTO messages (id, kind, state, brand, deflection_id, number, sender, body, created_at, updated_at, "
            "error_code, provider_id) SELECT 'm' || id, 'greeting', CASE id % 20 WHEN 0 THEN 'failed' WHEN 3 THEN 'dead' "
            "ELSE 'delivered' END, brand, id, number, '+14155550111', 'Hello', accepted_at, accepted_at, "
            "CASE WHEN id % 20 = 0 THEN 30005 END, 'SM' || id FROM deflections "
            "WHERE accepted_at IS NOT NULL AND refused IS NULL"
        )
    )
