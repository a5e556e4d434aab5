"""The time of a scene, as a person writes it."""

from datetime import UTC, datetime

import pytest

from ivr.sandbox.moment import moment

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)  # Wednesday, 10:00 in New York

CASES = [
    ("2026-12-25 10:00", "2026-12-25T15:00"),
    ("2026-07-01  9:05", "2026-07-01T13:05"),
    ("Sat 22:30", "2026-03-08T03:30"),
    ("wed 10:01", "2026-03-04T15:01"),
    ("Wed 09:59", "2026-03-11T13:59"),
    ("2026-13-01 10:00", None),
    ("Sat 25:00", None),
    ("Xyz 10:00", None),
    ("10:00", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "utc"), CASES)
def test_a_time(text: str, utc: str | None) -> None:
    assert moment(text, "America/New_York", NOW) == (datetime.fromisoformat(utc).replace(tzinfo=UTC) if utc else None)
