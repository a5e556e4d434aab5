"""How far a scene's calendar is before the real one: the server and the town read it from one file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path


class Ahead:
    """`by`: how far; None for a calendar that stays the real one, however the scene's clock runs."""

    def __init__(self, file: Path, by: timedelta | None) -> None:
        self.file = file
        self._is_real = by is None
        self._write(by or timedelta())

    def __call__(self) -> datetime:
        """Now, in the scene."""
        return datetime.now(UTC) + read(self.file)

    def pass_(self, seconds: float) -> None:
        if not self._is_real:
            self._write(read(self.file) + timedelta(seconds=seconds))

    def _write(self, by: timedelta) -> None:
        written = self.file.with_suffix(".new")
        written.write_text(str(by.total_seconds()), encoding="utf-8")
        written.replace(self.file)  # nobody reads half a number


def read(file: Path) -> timedelta:
    return timedelta(seconds=float(file.read_text(encoding="utf-8")))
