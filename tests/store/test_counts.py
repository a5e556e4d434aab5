"""Counts: whatever happened and however late, they are what a recount of the rows says."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, example, given, settings
from sqlalchemy import select

from ivr.store import counted, counts
from ivr.store.count_tables import DIMENSIONS, MEASURES, hourly_counts, hourly_failures
from ivr.store.counted import Wanted
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
@example(seed=14, late=5, calls=14)
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
                # Their last offer is three hours and a half later: none is in an hour that has not come yet.
                traffic_rows.write_calls(tx, chance, now - timedelta(hours=4), 3, first=1000 + number * 10)
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
        for table in traffic_rows.TABLES[5:]:
            tx.execute(table.delete())
        traffic_rows.write_calls(tx, random.Random(2), EVENING, 3, first=500)
    counts.rebuild(database, COUNTING, EVENING + timedelta(hours=4))
    after, _ = kept(database)
    assert before[0].items() <= after.items()


def summed(whole: Any, **only: Any) -> dict[str, int]:
    """What a recount says of the hours and values that are named."""
    names = ("hour", *DIMENSIONS)
    mine = [
        measured
        for key, measured in whole.items()
        if all(
            value(key[names.index(name)]) if callable(value) else key[names.index(name)] == value
            for name, value in only.items()
        )
    ]
    return {name: sum(each.get(name, 0) for each in mine) for name in MEASURES}


def test_read_sums_and_narrows(database: Database) -> None:
    with database.writes() as tx:
        traffic_rows.write_calls(tx, random.Random(1), MORNING, 40)
    counts.roll_up(database, COUNTING, EVENING)
    whole, _ = naive(database)
    wanted = Wanted(MORNING, EVENING, {"brand": "acme"})
    with database.reads() as tx:
        by_branch = counted.read(tx, wanted, ("branch",))
        everything = counted.read(tx, replace(wanted, only={}), ())[()]
        lost = counted.failures(tx, replace(wanted, only={}))
        assert counted.choices(tx, wanted)["brand"] == ["acme", "bakery"]
        assert counted.read(tx, Wanted(EVENING, EVENING, {}), ("branch",)) == {}
    assert dict(everything) == summed(whole)
    assert everything["calls"] > 30
    for (branch,), measured in by_branch.items():
        assert dict(measured) == summed(whole, brand="acme", branch=branch)
    assert sum(lost.values()) == everything["failed"] > 0


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.integers(0, 200), hours=st.integers(1, 240), at=st.lists(st.integers(0, 240), max_size=5))
def test_whole_days_and_hours_at_the_edges_are_together_what_was_asked(
    database: Database, first: int, hours: int, at: list[int]
) -> None:
    with database.writes() as tx:
        traffic_rows.clear(tx)
        for day in range(8):
            begin = MORNING + timedelta(hours=29 * day - 5)
            traffic_rows.write_calls(tx, random.Random(day), begin, 10, first=day * 100)
    counts.roll_up(database, COUNTING, MORNING + timedelta(days=11))
    whole, _ = naive(database)
    since = MORNING - timedelta(hours=12) + timedelta(hours=first)
    until = since + timedelta(hours=hours)
    splits = [since + timedelta(hours=each) for each in at]
    with database.reads() as tx:
        told = list(counted.over_time(tx, Wanted(since, until, {}, splits)))
    assert summed(whole, hour=lambda hour: since <= hour < until) == {
        name: sum(measured[name] for _, measured in told) for name in MEASURES
    }
    for split in splits:
        if split < until:
            before = sum(measured["calls"] for moment, measured in told if moment < split)
            assert before == summed(whole, hour=lambda hour, split=split: since <= hour < split)["calls"]
