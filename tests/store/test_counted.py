"""What was counted, read by periods of any zone: the same as its hours say, though most of them are not read."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from ivr.funnel.asked import Asked
from ivr.funnel.told import funnel
from ivr.store import counts
from ivr.store.count_tables import MEASURES, hourly_counts
from ivr.store.database import Database, opened_once

# Around a night in which clocks change, in each of the zones.
FIRST, LAST = date(2026, 3, 1), date(2026, 4, 9)
MIDNIGHT = datetime(2026, 2, 20, tzinfo=UTC)
HOURS = [MIDNIGHT + timedelta(hours=hour) for hour in range(60 * 24)]
ZONES = ("UTC", "America/New_York", "America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo", "Pacific/Auckland")


def measured(hour: datetime) -> dict[str, int]:
    chance = random.Random(hour.timestamp())
    return {name: chance.randrange(100) for name in MEASURES}


@pytest.fixture(scope="module")
def database(shared_database: str) -> Iterator[Database]:
    with opened_once(shared_database) as database:
        with database.writes() as tx:
            for brand, hours in (("acme", HOURS), ("other", HOURS[::7])):
                key = {"brand": brand, "branch": "b", "language": "en-US", "channel": "rcs", "dialled": "+14155550100"}
                tx.execute(insert(hourly_counts), [{"hour": hour, **key, **measured(hour)} for hour in hours])
            counts.sum_up(tx, [MIDNIGHT + timedelta(days=day) for day in range(60)])
        yield database


def label(hour: datetime, zone: ZoneInfo, by: str) -> str:
    local = hour.astimezone(zone)
    if by == "hour":
        return local.strftime("%Y-%m-%d %H:00")
    day = local.date()
    if by == "week":
        day -= timedelta(days=day.weekday())
    return day.strftime("%Y-%m") if by == "month" else str(day)


SPANS = {"forty days": (FIRST, LAST), "three days": (date(2026, 3, 7), date(2026, 3, 9)), "a day": (FIRST, FIRST)}


@pytest.mark.parametrize("by", ["hour", "day", "week", "month"])
@pytest.mark.parametrize("zone", [ZoneInfo(name) for name in ZONES], ids=ZONES)
@pytest.mark.parametrize(("first", "last"), SPANS.values(), ids=SPANS)
def test_a_period_of_any_zone_has_what_its_hours_have(
    database: Database, by: str, zone: ZoneInfo, first: date, last: date
) -> None:
    asked = Asked(first, last, zone, {"brand": "acme"}, by)
    wanted: dict[str, Counter[str]] = {}
    for hour in HOURS:
        if asked.since <= hour < asked.until:
            wanted.setdefault(label(hour, zone, by), Counter()).update(measured(hour))
    with database.reads() as tx:
        told = funnel(tx, asked)
    found = {line.label: {name: line.measured[name] for name in MEASURES} for line in told.lines}
    assert found == {name: dict(counted) for name, counted in wanted.items()}
    assert sum(counted["calls"] for counted in wanted.values()) == told.total.measured["calls"] > 0
