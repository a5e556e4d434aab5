"""Counts: whatever happened and however late, they are what a recount of the rows says."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, example, given, settings
from sqlalchemy import Connection, insert, select, update

from ivr.funnel.asked import Asked
from ivr.funnel.told import Line, funnel
from ivr.store import counted, counts
from ivr.store import messages as store
from ivr.store.count_tables import DIMENSIONS, MEASURES, daily_counts, hourly_counts, hourly_failures
from ivr.store.counted import Wanted
from ivr.store.counts import Counting
from ivr.store.database import Database, opened_once
from ivr.store.tables import deflections, messages
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


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    assert counts.roll_up(database, COUNTING, EVENING + timedelta(minutes=1)) == 4
    later = EVENING + timedelta(days=5)
    counts.roll_up(database, COUNTING, later)
    with database.writes() as tx:
        traffic_rows.happen(tx, random.Random(3), later, "late")
    assert 4 <= counts.roll_up(database, COUNTING, later + timedelta(minutes=1)) < 9
    assert kept(database) == naive(database)


def yes(tx: Connection, at: datetime, *greetings: tuple[str | None, str]) -> None:
    """A yes, and its greetings in order: channel and state."""
    offer = {"call_sid": f"CA{at:%d%H%M}", "branch": "billing", "brand": "acme", "caller": "+14155552001"}
    made = insert(deflections).values(offer | {"offered_at": at, "accepted_at": at}).returning(deflections.c.id)
    deflection = tx.execute(made).scalar_one()
    for place, (channel, state) in enumerate(greetings):
        when = at + timedelta(seconds=place)
        row = {"id": f"{at:%d%H%M}-{place}", "kind": "greeting", "state": state, "channel": channel, "brand": "acme"}
        row |= {"deflection_id": deflection, "number": "+14155552001", "sender": channel or "+14155550111"}
        tx.execute(insert(messages).values(row | {"body": "Hello", "created_at": when, "updated_at": when}))


def by_channel(database: Database) -> dict[str, Line]:
    day = Asked(MORNING.date(), MORNING.date() + timedelta(days=9), ZoneInfo("UTC"), {}, "channel")
    with database.reads() as tx:
        return {line.label: line for line in funnel(tx, day).lines}


GREETINGS: list[list[tuple[str | None, str]]] = [
    [("push", "failed"), ("whatsapp", "failed"), ("sms", "delivered")],
    [("push", "delivered")],
    [("push", "failed"), ("whatsapp", "failed")],
    [(None, "sent")],  # of before there were channels
    [],
]


def test_a_yes_is_counted_under_the_channel_that_took_it(database: Database) -> None:
    with database.writes() as tx:
        for hour, greetings in enumerate(GREETINGS):
            yes(tx, MORNING + timedelta(hours=hour), *greetings)
        at = MORNING + timedelta(hours=1, minutes=9)  # the push is answered by text
        row: dict[str, Any] = {
            "id": "reply",
            "kind": "inbound",
            "state": "received",
            "brand": "acme",
            "number": "+14155552001",
        }
        row |= {"sender": "+14155550111", "body": "Hi", "created_at": at, "updated_at": at}
        tx.execute(insert(messages).values(row))
    counts.roll_up(database, COUNTING, EVENING)
    told = by_channel(database)
    assert {
        name: [line.many(step) for step in ("offered", "accepted", "delivered", "failed", "replied")]
        for name, line in told.items()
    } == {
        "(none)": [5, 1, 0, 0, 0],
        "sms": [None, 2, 1, 0, 0],
        "push": [None, 1, 1, 0, 1],
        "whatsapp": [None, 1, 0, 1, 0],
    }
    assert [line.rate("accepted") for line in told.values()] == [None] * 4, "no channel was offered"
    assert told["whatsapp"].rate("failed") is not None
    assert kept(database) == naive(database)
    one = Asked(MORNING.date(), EVENING.date(), ZoneInfo("UTC"), {"channel": "sms"}, "branch")
    with database.reads() as tx:
        line = funnel(tx, one).total
    assert (line.many("offered"), line.many("accepted"), line.rate("accepted")) == (None, 2, None)


def test_a_greeting_read_days_later_is_counted_under_its_offer(database: Database) -> None:
    with database.writes() as tx:
        yes(tx, MORNING, ("whatsapp", "delivered"))
        yes(tx, MORNING + timedelta(hours=1), ("whatsapp", "delivered"))
        yes(tx, MORNING + timedelta(hours=2), ("rcs", "sent"))
        yes(tx, MORNING + timedelta(hours=3), ("sms", "delivered"))
    later = EVENING + timedelta(days=5)
    counts.roll_up(database, COUNTING, later)
    assert [by_channel(database)[name].many("read") for name in ("whatsapp", "rcs", "sms")] == [0, None, None]
    with database.writes() as tx:
        store.was_read(tx, "020900-0", later)
    assert counts.roll_up(database, COUNTING, later + timedelta(minutes=1)) == 1 + 4, "its hour, and the last ones"
    assert by_channel(database)["whatsapp"].many("read") == 1
    with database.writes() as tx:
        for greeting in ("021100-0", "021200-0"):
            store.move(tx, greeting, "delivered", later)
            store.was_read(tx, greeting, later)
    counts.roll_up(database, COUNTING, later + timedelta(minutes=2))
    told = by_channel(database)
    assert [told[name].many("read") for name in ("whatsapp", "rcs", "sms")] == [1, 1, None], "a text tells nobody"
    rate = told["whatsapp"].rate("read")
    assert rate
    assert (rate.middle, rate.sample) == (0.5, 2)
    assert told["sms"].rate("read") is None
    day = Asked(MORNING.date(), MORNING.date(), ZoneInfo("UTC"), {}, "hour")
    with database.reads() as tx:
        hours = funnel(tx, day)
    assert [line.many("read") for line in hours.lines[9:13]] == [1, 0, 1, None]
    rate = hours.total.rate("read")
    assert rate
    assert (hours.total.many("read"), hours.total.many("delivered"), rate.sample) == (2, 4, 3), "of those that can tell"
    assert kept(database) == naive(database)


def test_a_text_that_is_requeued_and_goes_out_days_later_is_counted(database: Database) -> None:
    with database.writes() as tx:
        yes(tx, MORNING, ("sms", "dead"))
    counts.roll_up(database, COUNTING, EVENING)
    assert by_channel(database)["sms"].many("failed") == 1
    later = EVENING + timedelta(days=5)
    counts.roll_up(database, COUNTING, later)
    with database.writes() as tx:
        tx.execute(update(messages).values(state="sent", attempts=9, provider_id="SM1", updated_at=later))
    counts.roll_up(database, COUNTING, later + timedelta(minutes=1))
    line = by_channel(database)["sms"]
    assert (line.many("failed"), line.many("sent")) == (0, 1)
    assert kept(database) == naive(database)


def test_a_rebuild_of_the_last_days_leaves_the_others_to_be_counted(database: Database) -> None:
    with database.writes() as tx:
        traffic_rows.write_calls(tx, random.Random(1), MORNING, 20)
        traffic_rows.write_calls(tx, random.Random(2), MORNING + timedelta(days=9), 5, first=100)
    later = MORNING + timedelta(days=9, hours=5)
    counts.rebuild(database, COUNTING, later, since=later - timedelta(days=2))
    counts.roll_up(database, COUNTING, later)
    assert kept(database) == naive(database)


def test_rows_of_long_ago_are_counted_when_that_is_asked_for(database: Database) -> None:
    counts.roll_up(database, COUNTING, EVENING)
    with database.writes() as tx:
        traffic_rows.write_calls(tx, random.Random(1), MORNING - timedelta(days=9), 20)
        counts.begin_anew(tx)
    counts.roll_up(database, COUNTING, EVENING)
    assert kept(database) == naive(database)


def test_two_that_count_at_once_count_once(database: Database) -> None:
    with database.writes() as tx:
        traffic_rows.write_calls(tx, random.Random(1), MORNING, 60)
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(counts.roll_up, database, COUNTING, EVENING) for _ in range(3)]:
            done.result()
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


def readable(whole: Any, **only: Any) -> int:
    """The delivered ones of channels that tell, which `read` is a share of."""
    return sum(summed(whole, **only, channel=channel)["delivered"] for channel in traffic_rows.TELL)


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
    assert dict(everything) == summed(whole) | {"readable": readable(whole)}
    assert 0 < everything["read"] < everything["readable"] < everything["delivered"]
    assert everything["calls"] > 30
    for (branch,), measured in by_branch.items():
        only = {"brand": "acme", "branch": branch}
        assert dict(measured) == summed(whole, **only) | {"readable": readable(whole, **only)}
    assert sum(lost.values()) == everything["failed"] > 0


def test_a_day_that_is_counted_between_two_looks_is_no_error(database: Database) -> None:
    """Its first hour is there and its sum was not yet: PostgreSQL shows each statement what is committed then."""
    with database.writes() as tx:
        traffic_rows.clear(tx)
        traffic_rows.write_calls(tx, random.Random(1), MORNING.replace(hour=3), 50)
    counts.roll_up(database, COUNTING, MORNING + timedelta(days=11))
    since = (MORNING - timedelta(days=3)).replace(hour=5)
    midnights = [since + timedelta(days=day) for day in range(9)]
    with database.writes() as tx:
        tx.execute(daily_counts.delete())
        told = list(counted.over_time(tx, Wanted(since, since + timedelta(days=9), {}, midnights)))
    before_five = summed(naive(database)[0], hour=lambda hour: hour.hour < 5)["calls"]
    assert sum(measured["calls"] for _, measured in told) == before_five > 0


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.integers(0, 200), hours=st.integers(1, 240), at=st.lists(st.integers(0, 240), max_size=5))
@example(first=76, hours=95, at=[77, 96])  # a period that begins after the end cuts no day
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
