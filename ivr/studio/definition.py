"""Definitions: a Studio flow's JSON read within bounds, the findings about it, and the one way to write it."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ivr.flow.findings import printable

MOST_TWILIO_TAKES = 1024 * 1024  # bytes
MOST_READ = 4 * MOST_TWILIO_TAKES
MOST_LEVELS = 50
HALF = re.compile("[\ud800-\udfff]")  # of a character beyond 16 bits; no file and no request can carry one alone

Step = str | int
Where = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """`str()` is one line: where (as Twilio's own validator writes paths), what is wrong, what is allowed."""

    where: Where
    message: str
    severity: Literal["error", "warning"] = "error"
    state: str = ""  # the name of the state it is about; nobody counts states

    def __str__(self) -> str:
        named = f" ({self.state[:60]})" if self.state else ""
        return printable(f"{path(self.where)}{named}: {self.severity}: {self.message}")


class Unreadable(Exception):
    """No JSON that a definition could be; the message says why, and where."""


def path(where: Where) -> str:
    steps = (str(step)[:80].replace("~", "~0").replace("/", "~1") for step in where)
    return "/".join(("#", *steps))


def read_file(file: Path) -> tuple[Any, int]:
    """What a file holds, and its size in bytes. Raises Unreadable."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_READ + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror or type(error).__name__})") from None
    return read(content), len(content)


def read(content: bytes) -> Any:
    if len(content) > MOST_READ:
        raise Unreadable(f"over {MOST_READ // MOST_TWILIO_TAKES} MiB; Twilio takes 1 MiB")
    try:
        data = json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite
        )
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"line {error.lineno}, column {error.colno}: no JSON ({error.msg})") from None
    except RecursionError:
        raise Unreadable(_TOO_DEEP) from None
    except ValueError as error:  # a number of thousands of digits, too
        raise Unreadable(f"no JSON that Studio takes ({str(error)[:100]})") from None
    for where, value in walk(data):
        if len(where) > MOST_LEVELS:
            raise Unreadable(_TOO_DEEP)
        if any(isinstance(each, str) and HALF.search(each) for each in (value, *where[-1:])):
            raise Unreadable(f"{path(where)}: half a character stands alone there; write it again, or leave it out")
    return data


_TOO_DEEP = f"deeper than {MOST_LEVELS} levels; a definition needs eight"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise ValueError(f"the key {twice!r} twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError(f"{text[:20]} is out of bounds")
    return number


def walk(data: Any, below: Where = ()) -> Iterator[tuple[Where, Any]]:
    """Every value with its path, the nearest first, down to one level more than is allowed."""
    level = [(below, data)]
    while level and len(level[0][0]) <= MOST_LEVELS + 1 + len(below):
        yield from level
        level = [((*where, step), child) for where, value in level for step, child in _children(value)]


def _children(value: Any) -> Iterator[tuple[Step, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def written(definition: Any) -> str:
    """The one way that a definition is written: the same flow is the same text, so that a diff shows changes alone."""
    return json.dumps(definition, ensure_ascii=False, indent=2) + "\n"
