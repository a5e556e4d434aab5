"""Counts: whatever happened and however late, they are what a recount of the rows says."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select

from ivr.store import counts
from ivr.store.count_tables import DIMENSIONS, MEASURES, hourly_counts, hourly_failures
from ivr.store.counts import Counting
from ivr.store.database import Database, opened_once
from tests import traffic_rows
from tests.traffic_rows import LANGUAGES, STOPS

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EVENING = MORNING + timedelta(hours=9)
COUNTING = Counting(LANGUAGES, STOPS)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened_once(database_url) as database:
        yield database


def kept(database: Database) -> Any:
    """What the tables have, as the recount says it."""
    key = ("hour", *DIMENSIONS)
    with database.reads() as tx:
        counted = {
            tuple(getattr(row, name) for name in key): {
                name: getattr(row, name) for name in MEASURES if getattr(row, name)
            }
            for row in tx.execute(select(hourly_counts))
        }
        failures = {tuple(row[:-1]): row.failed for row in tx.execute(select(hourly_failures))}
    return counted, failures


def naive(database: Database) -> Any:
    with database.reads() as tx:
        return traffic_rows.recounted(tx)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), late=st.integers(0, 12), calls=st.integers(0, 25))
def test_counts_are_a_recount_of_the_rows(database: Database, seed: int, late: int, calls: int) -> None:
    chance, now = random.Random(seed), EVENING
    with database.writes() as tx:
        traffic_rows.clear(tx)
        traffic_rows.write_calls(tx, chance, MORNING, calls)
    counts.roll_up(database, COUNTING, now)
    assert kept(database) == naive(database)
    for number in range(late):
        now += timedelta(minutes=chance.choice([1, 30, 1000]))
        with database.writes() as tx:
            traffic_rows.happen(tx, chance, now, f"late-{number}")
            if number % 5 == 4:
                traffic_rows.write_calls(tx, chance, now - timedelta(hours=3), 3, first=1000 + number * 10)
        if chance.random() < 0.7:
            counts.roll_up(database, COUNTING, now)
    counts.roll_up(database, COUNTING, now)
    rolled = kept(database)
    counts.rebuild(database, COUNTING, now)
    assert kept(database) == naive(database)
    if late < 5:  # the later calls here come with times long past, which no call has
        assert rolled == naive(database)


def test_a_count_looks_at_what_changed_alone(database: Database) -> None:
    with database.writes() as tx:
        traffic_rows.write_calls(tx, random.Random(1), MORNING, 20)
    assert counts.roll_up(database, COUNTING, EVENING) == 10
    assert counts.roll_up(database, COUNTING, EVENING + timedelta(minutes=1)) == 3
    later = EVENING + timedelta(days=5)
    counts.roll_up(database, COUNTING, later)
    with database.writes() as tx:
        traffic_rows.happen(tx, random.Random(3), later, "late")
    assert 3 <= counts.roll_up(database, COUNTING, later + timedelta(minutes=1)) < 8
    assert kept(database) == naive(database)


def test_hours_whose_rows_are_gone_stay_counted(database: Database) -> None:
    with database.writes() as tx:
        traffic_rows.write_calls(tx, random.Random(1), MORNING, 20)
    counts.roll_up(database, COUNTING, EVENING)
    before = kept(database)
    with database.writes() as tx:
        for table in traffic_rows.TABLES[3:]:
            tx.execute(table.delete())
        traffic_rows.write_calls(tx, random.Random(2), EVENING, 3, first=500)
    counts.rebuild(database, COUNTING, EVENING + timedelta(hours=4))
    after, _ = kept(database)
    assert before[0].items() <= after.items()


def test_read_sums_and_narrows(database: Database) -> None:
    with database.writes() as tx:
        traffic_rows.write_calls(tx, random.Random(1), MORNING, 40)
    counts.roll_up(database, COUNTING, EVENING)
    whole, _ = naive(database)
    with database.reads() as tx:
        span = (MORNING, EVENING)
        by_branch = dict(counts.read(tx, *span, {"brand": "acme"}, ("branch",)))
        ((_, everything),) = counts.read(tx, *span, {}, ())
        lost = dict(counts.read_failures(tx, *span, {}))
        assert counts.values(tx, "brand", *span) == ["acme", "bakery"]
        assert list(counts.read(tx, EVENING, EVENING, {}, ("hour",))) == []
    assert everything["calls"] == sum(each.get("calls", 0) for each in whole.values()) > 30
    for (branch,), measured in by_branch.items():
        mine = [each for key, each in whole.items() if key[1:3] == ("acme", branch)]
        assert {name: value for name, value in measured.items() if value} == {
            name: sum(each.get(name, 0) for each in mine)
            for name in MEASURES
            if sum(each.get(name, 0) for each in mine)
        }
    assert sum(lost.values()) == everything["failed"] > 0
