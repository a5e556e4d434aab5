"""The file that keeps what LivePerson told, page by page, so that a run broken off goes on where it stopped."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ivr.traffic.cells import DAY
from ivr.traffic.opened import BrokenFile
from ivr.traffic.talks import Chat

# A day at a time: far from the three months that LivePerson allows, and no offset grows deep.
SETTLES = 3600  # seconds after a day's end before its conversations are all there


@dataclass(slots=True)
class Day:
    """`offset`: where the next page begins. `whole`: there is none."""

    chats: list[Chat] = field(default_factory=list)
    offset: int = 0
    whole: bool = False
    asked: int = 0  # the moment

    def settled(self, day: int) -> bool:
        """Whether nothing of it changes any more: it was over when it was asked for, and so is every conversation."""
        over = self.asked >= (day + 1) * DAY + SETTLES
        return self.whole and over and all(chat.ended is not None for chat in self.chats)


class Kept:
    """The file, read. What is added is written at once; a last line that was cut off is taken away."""

    def __init__(self, path: Path, account: str, key: str) -> None:
        """`key`: tells apart how numbers are marked. Raises BrokenFile, OSError."""
        self._path = path
        self._days: dict[int, Day] = {}
        head = {"liveperson": account, "key": key}
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        if lines and not lines[-1].endswith(b"\n"):
            with path.open("rb+") as file:
                file.truncate(sum(map(len, lines[:-1])))
            lines = lines[:-1]
        if not lines:
            path.touch(mode=0o600)  # whose conversations, and when: nobody else's business
            self._write(head)
            return
        if self._read(lines[0], 1) != head:
            raise BrokenFile(
                f"{path}: keeps the conversations of another account, or was written with another SECRET_KEY; "
                "remove it, or name another file with --messaging."
            )
        for number, line in enumerate(lines[1:], 2):
            self._take(self._read(line, number), number)

    def days(self) -> Iterator[tuple[int, Day]]:
        return iter(sorted(self._days.items()))

    def day(self, day: int) -> Day:
        return self._days.setdefault(day, Day())

    def again(self, day: int) -> Day:
        """Forget a day that was not settled: its conversations are asked for anew."""
        self._write({"day": day, "again": True})
        self._days[day] = Day()
        return self._days[day]

    def add(self, day: int, asked: int, offset: int, whole: bool, chats: tuple[Chat, ...]) -> Day:
        line = {"day": day, "asked": asked, "offset": offset, "whole": whole, "chats": chats}
        self._write(line)
        return self._added(line)

    def _added(self, line: dict[str, Any]) -> Day:
        kept = self.day(line["day"])
        kept.chats += [Chat(*chat) for chat in line["chats"]]
        kept.offset, kept.whole = line["offset"], line["whole"]
        kept.asked = kept.asked or line["asked"]
        return kept

    def _take(self, line: dict[str, Any], number: int) -> None:
        with suppress(KeyError, TypeError, AttributeError):
            if line.get("again"):
                self._days[line["day"]] = Day()
            else:
                self._added(line)
            return
        raise self._broken(number)

    def _read(self, line: bytes, number: int) -> dict[str, Any]:
        with suppress(ValueError, RecursionError):
            found = json.loads(line)
            if isinstance(found, dict):
                return found
        raise self._broken(number)

    def _broken(self, number: int) -> BrokenFile:
        return BrokenFile(f"{self._path}: line {number} is not what this command writes; remove the file.")

    def _write(self, line: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
