"""Call logs for tests: written as text, estimated as a whole."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ivr.traffic.estimate import Asked, Estimate, estimate

UTC = ZoneInfo("UTC")


def estimated(path: Path, content: str | bytes, **asked: Any) -> Estimate:
    file = path / "calls.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return estimate(file, Asked(**{"zone": UTC, **asked}))
