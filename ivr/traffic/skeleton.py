"""The `branches:` of the chosen ones, to paste under a brand; `python -m ivr check` takes them as they are."""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence

from ivr import numbers
from ivr.traffic.expect import Promise
from ivr.traffic.judge import Judged
from ivr.traffic.wording import clock, number, percent

_TAKEN = ("fallback", "liveperson", "status", "menu")  # names that URLs and menus need


_WORDS = (
    "    offer: Press 1 and we will text you, or stay on the line.",
    "    greeting: >",
    "      {{ brand }} here. Type your question and we answer within {{ sla }}.",
    "      Reply STOP to opt out.",
)
_FALLBACK = (
    "    fallback:",
    "      say: Nobody can take your call right now. Please call again later.",
)


def skeleton(chosen: Sequence[Judged], promise: Promise) -> str:
    """YAML; what only the brand knows (skills, queues, words) is there to be changed."""
    if not chosen:
        return ""
    names: list[str] = []
    for one in chosen:
        names.append(_name(one.branch.name, names))
    branches = (line for one, name in zip(chosen, names, strict=True) for line in _branch(one, name, promise))
    return "\n".join(("branches:", *branches)) + "\n"


def _branch(one: Judged, name: str, promise: Promise) -> Iterable[str]:
    branch, expected = one.branch, one.expected.deflections
    yield f"  {name}:  # {_comment(branch.name)}"
    # `report funnel` and the dashboard tell whether it is met.
    yield f"    goal: {max(1, round(expected.middle))} a week  # deflections; look again below {number(expected.low)}"
    if branch.again:
        yield f"    # and no more call again within 7 days than today's {percent(branch.again.middle)}"
    if branch.length:
        yield f"    # today: {number(branch.weekly.middle)} calls a week, {clock(branch.length.middle)} long"
    yield '    skill: "0000"  # the desk\'s skill for this branch'
    yield f"    sla: {_sla(promise.within)}"
    yield from _WORDS
    yield f"    otherwise: {{queue: {name}}}  # where these calls go today"
    yield from _FALLBACK


def _sla(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if rest and seconds < 3600:
        return f"{round(seconds)} seconds"
    return f"{minutes} minute{'s' if minutes > 1 else ''}"


def _comment(name: str) -> str:
    """As it is in the file; ASCII and safe inside a YAML comment."""
    return json.dumps(name, ensure_ascii=True)


def _name(text: str, taken: Iterable[str]) -> str:
    """A branch's name as flow files have it: letters, digits and dashes, not reserved, not taken."""
    number = numbers.read(text)
    plain = unicodedata.normalize("NFKD", f"line {number.dialled_at_home}" if number else text)
    slug = re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode().lower()).strip("-")
    slug = slug if slug[:1].isalpha() else f"branch-{slug}".strip("-")
    slug = slug[:28].strip("-")
    if slug in _TAKEN:
        slug = f"{slug}-calls"
    others, tries = set(taken), 2
    name = slug
    while name in others:
        name, tries = f"{slug}-{tries}", tries + 1
    return name
