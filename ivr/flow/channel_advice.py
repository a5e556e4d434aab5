"""What cannot be right of a brand's channels: one without its sender, one that says again what another says."""

from collections.abc import Iterator
from typing import Any

from ivr.flow.model import CHANNELS
from ivr.flow.source import Path, Source
from ivr.flow.texts import mapping, node

# What a channel cannot do without, and what a finding shows of it.
NEEDS: dict[str, tuple[Path, str]] = {
    "whatsapp": (("sender", "whatsapp"), 'whatsapp: {number: "+1 415 555 0112", template: HX…} under sender'),
    "rcs": (("sender", "rcs"), "rcs: {service: MG…} under sender"),
    "push": (("push",), "push: … on the brand"),
}


def check(source: Source) -> None:
    """Add errors and warnings to `source.findings`."""
    used: set[str] = set()
    for path, channel in _named(source):
        used.add(channel)
        needs, how = NEEDS.get(channel, ((), ""))
        if needs and node(source, needs) in (None, ""):
            source.at(path, f"{channel}: this brand has no {'.'.join(map(str, needs))}; write {how}, or leave it out")
    _twice(source)
    _one_service(source)
    _unused(source, used)


def _unused(source: Source, used: set[str]) -> None:
    """What was set up for a channel that no greeting goes by."""
    alone = "no channels and no accept name it; add it to channels, like"
    for channel, (path, _) in NEEDS.items():
        if node(source, path) is not None and channel not in used and not source.faults:
            source.warning(source.key_place(path), f"{channel}: {alone} [{channel}, sms]")
    if node(source, ("consumers",)) is not None and "push" not in used and not source.faults:
        message = "consumers: they are asked for a push alone; add push to channels, like [push, sms], or leave it out"
        source.warning(source.key_place(("consumers",)), message)


def _named(source: Source) -> Iterator[tuple[Path, str]]:
    """Every place that names a channel, and which."""
    holders: list[Path] = [(), *(("branches", name) for name in mapping(source, "branches"))]
    for holder in holders:
        listed = node(source, (*holder, "channels"))
        for place, channel in enumerate(listed if isinstance(listed, list) else ()):
            if name := _channel(channel):
                yield (*holder, "channels", place), name
        for key, channel in mapping(source, *holder, "accept").items():
            if name := _channel(channel):
                yield (*holder, "accept", key), name


def _channel(value: Any) -> str:
    name = value.strip().lower() if isinstance(value, str) else ""
    return name if name in CHANNELS else ""


def _twice(source: Source) -> None:
    holders: list[Path] = [(), *(("branches", name) for name in mapping(source, "branches"))]
    for holder in holders:
        listed, seen = node(source, (*holder, "channels")), set()
        for place, channel in enumerate(listed if isinstance(listed, list) else ()):
            name = _channel(channel)
            if name and name in seen:
                source.at((*holder, "channels", place), f"{name}: twice in one list; a channel is tried once")
            seen.add(name)


def _one_service(source: Source) -> None:
    """A service that falls back to texts by itself, and is what texts go by, would be two channels of one sender."""
    service, sms = (node(source, ("sender", *path)) for path in (("rcs", "service"), ("sms",)))
    if isinstance(service, str) and isinstance(sms, str) and service.strip() and service.strip() == sms.strip():
        path: Path = ("sender", "rcs", "service")
        source.at(path, "service: sms is sent by it already; give RCS a messaging service of its own")
