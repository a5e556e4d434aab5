"""The check: everything that is wrong with a definition, or will be regretted, without asking Twilio.

Passing does not prove that Twilio accepts a flow; only Twilio's own validator can say that.
"""

from collections.abc import Iterator
from typing import Any

from ivr.studio import shape, ways
from ivr.studio.definition import MOST_TWILIO_TAKES, Finding

MOST_FOUND = 1000  # findings; nobody reads more, and a hostile file could have millions


def check(definition: Any, size: int = 0) -> list[Finding]:
    """The findings, in the order of the file. `size`: in bytes, as it would be sent."""
    found = []
    for finding in _findings(definition, size):
        found.append(finding)
        if len(found) == MOST_FOUND:
            found.append(Finding((), f"over {MOST_FOUND:,} findings; the rest is not shown"))
            break
    order = {name: index for index, name in enumerate(definition)} if isinstance(definition, dict) else {}
    return sorted(found, key=lambda finding: [_rank(step, order) for step in finding.where])


def _findings(definition: Any, size: int) -> Iterator[Finding]:
    yield from shape.frame(definition)
    listed = definition.get("states") if isinstance(definition, dict) else None
    for index, state in enumerate(listed if isinstance(listed, list) else []):
        yield from shape.state(index, state)
    yield from ways.judged(definition)
    if size > MOST_TWILIO_TAKES:
        yield Finding((), f"{size:,} bytes; Twilio is said to take 1 MiB", "warning")


def _rank(step: str | int, order: dict[str, int]) -> tuple[int, int, str]:
    if isinstance(step, int):
        return (0, step, "")
    return (1, order.get(step, len(order)), step)
