"""What is most likely not meant with the texts along a conversation, and what of them nobody would ever get."""

from collections.abc import Iterator, Mapping
from typing import Any

from ivr.flow import hints
from ivr.flow.opening_times import TimesFault, week
from ivr.flow.quiet import BEGINS, ENDS
from ivr.flow.source import Path, Source
from ivr.flow.texts import EXPECTED, Rendered, mapping
from ivr.flow.words import duration

_HOUR, _DAY = 3600, 86400

Branch = Mapping[str, Any]


def advise(source: Source, texts: Mapping[Path, Rendered]) -> None:
    desk = mapping(source, "desk")
    for holder in _holders(source):
        here = mapping(source, *holder)
        for name in mapping(source, *holder, "expect"):
            if name in EXPECTED:
                _expected(source, texts.get((*holder, "expect", name)), (*holder, "expect", name))
        for key in ("expect", "warn_before"):
            if key in here and (not desk or "native" in desk):
                why = "LivePerson owns the number's texts" if desk else "without a desk nobody answers"
                source.warning(source.key_place((*holder, key)), f"{key}: has no effect; {why}")
        if "warn_before" in here:
            _warns(source, holder)
        if "follow_up" in here:
            _follows_up(source, holder, "native" in desk)


def _holders(source: Source) -> Iterator[Path]:
    yield ()
    for name in mapping(source, "branches"):
        yield "branches", name


def _counts_for(source: Source, holder: Path, key: str, within: str = "") -> list[Branch]:
    """The branches for which what stands here counts: this one, or those of the brand that have not their own."""
    if holder:
        return [mapping(source, *holder)]
    paths: list[Path] = [("branches", name) for name in mapping(source, "branches")]
    own = [mapping(source, *path, within) if within else mapping(source, *path) for path in paths]
    return [mapping(source, *path) for path, its in zip(paths, own, strict=True) if key not in its]


def _expected(source: Source, text: Rendered | None, path: Path) -> None:
    name, holder = str(path[-1]), path[:-2]
    branches = _counts_for(source, holder, name, "expect")
    if name == "closed" and not any("hours" in each for each in (mapping(source), *branches)):
        message = "closed: without hours it is never sent; add hours, or leave it out"
        source.at_key(path, message, hints.added(source, (*holder, "hours")))
    if name == "late" and not any("sla" in branch for branch in branches):
        source.warning(source.key_place(path), "late: without an sla nothing is late; add one, or leave it out")
    elif text and name != "received" and _promises(text, branches):
        _promised(source, text, path, name)


def _promises(text: Rendered, branches: list[Branch]) -> bool:
    slas = [duration(sla) for branch in branches if isinstance(sla := branch.get("sla"), str)]
    said = any(sla.spoken in outcome for sla in slas if sla for outcome in text.outcomes)
    return said or bool(text.uses & {"sla", "promised_at"})


def _promised(source: Source, text: Rendered, path: Path, name: str) -> None:
    if name == "late":
        message = "late: repeats the promise that was not kept; say what happens next instead"
        source.warning(source.place(path), message)
    elif name == "ended":
        source.warning(source.place(path), "ended: promises an answer in a conversation that has ended")
    elif not text.uses & {"opens", "promised_at"}:
        message = "closed: promises an answer within the sla when nobody is there; say {{ opens }} or {{ promised_at }}"
        source.warning(source.place(path), message, ("{{ opens }}",))


def _warns(source: Source, holder: Path) -> None:
    warns = _seconds(mapping(source, *holder).get("warn_before"))
    branches = _counts_for(source, holder, "warn_before")
    if not any("sla" in branch for branch in branches):
        message = "warn_before: without an sla there is no promise to warn of"
        source.warning(source.key_place((*holder, "warn_before")), message)
    elif warns and any(sla and warns >= sla for sla in (_seconds(branch.get("sla")) for branch in branches)):
        message = "warn_before: as long as an sla, or longer; agents would be warned at once"
        source.warning(source.place((*holder, "warn_before")), message)


def _seconds(value: Any) -> int | None:
    read = duration(value) if isinstance(value, str) else None
    return read.seconds if read else None


def _follows_up(source: Source, holder: Path, native: bool) -> None:
    path: Path = (*holder, "follow_up")
    if native:
        message = "follow_up: has no effect; LivePerson owns the number's texts, and nobody here sees an answer"
        source.warning(source.key_place(path), message)
    after = _seconds(mapping(source, *path).get("after"))
    if native or after is None:
        return
    calls = list(_called(mapping(source, *holder).get("hours", mapping(source).get("hours"))))
    by_night = [moment for moment in calls if not BEGINS * _HOUR <= (moment + after) % _DAY < ENDS * _HOUR]
    if len(by_night) * 2 > len(calls):
        night = f"{ENDS}:00 and 0{BEGINS}:00"
        message = f"after: most calls would be followed up between {night}, when it waits; say another time"
        source.warning(source.place((*path, "after")), message)


def _called(hours: Any) -> Iterator[int]:
    """When calls come, in seconds of the day: all through the opening hours, else the day, each quarter of an hour."""
    written = hours.get("open") if isinstance(hours, dict) else hours
    try:
        days = week(written).days if isinstance(written, str) else ()
    except TimesFault:  # the schema says so
        days = ()
    spans = [span for day in days for span in day] or [(BEGINS * 60, ENDS * 60)]
    for begin, end in spans:
        yield from (minute % (24 * 60) * 60 for minute in range(begin, end, 15))
