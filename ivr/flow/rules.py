"""What the schema cannot say of a brand's file: ids, targets, template variables, numbers, ways out."""

from collections.abc import Container, Mapping
from typing import Any

from ivr import numbers
from ivr.flow import advice, channel_advice, closing, hints, identify_advice, reach, texts
from ivr.flow.findings import near, unknown
from ivr.flow.scalars import ID, RESERVED
from ivr.flow.source import Path, Source
from ivr.flow.texts import exits, mapping, menus, node
from ivr.flow.words import TEXTED
from ivr.private import names_private


def check(source: Source) -> None:
    """Add what is wrong to `source.findings`. Reads the raw tree, so that a wrong type elsewhere hides nothing."""
    _ids(source)
    _targets(source)
    for _, menu in menus(source):
        _keys_twice(source, (*menu, "press"))
    rendered = texts.rendered(source)
    _numbers(source)
    _other_number(source)
    _texted(source)
    channel_advice.check(source)
    closing.without_hours(source)
    identify_advice.check(source)
    _outward(source)
    reach.ways_out(source)
    reach.returns(source)
    advice.advise(source, rendered)


def file_id(source: Source, brand: str) -> None:
    if not ID.fullmatch(brand) or brand in RESERVED:
        source.error(
            source.place(()),
            f"{brand}: the file's name is the brand's id; allowed: a to z, 0 to 9 and dashes, a letter first, "
            f"32 at most, and none of {', '.join(sorted(RESERVED))}",
        )


def _ids(source: Source) -> None:
    branches = mapping(source, "branches")
    for kind in ("branches", "menus"):
        for name in mapping(source, kind):
            if name in RESERVED:
                reserved = ", ".join(sorted(RESERVED))
                source.at_key((kind, name), f"{name}: a reserved id; choose another than {reserved}")
            elif not ID.fullmatch(name):
                message = f"{name[:40]}: no id; allowed: a to z, 0 to 9 and dashes, a letter first, 32 at most"
                source.at_key((kind, name), message)
            elif kind == "menus" and name in branches:
                message = f"{name}: a branch has this name already; menus and branches share their names"
                source.at_key((kind, name), message)


def _targets(source: Source) -> None:
    of_menus = node(source, ("menus",))
    if not mapping(source, "branches") or not isinstance(of_menus, (dict, type(None))):
        return  # one cause: the branches are missing, or the menus are none
    if any(path[0] in ("branches", "menus") and len(path) <= 2 for path in source.doubled):
        return  # one cause: of two that have one name, the other is not read
    there = list(reach.places(source))
    # A name that is no id for its capitals alone is one finding, not one more at each place that leads there.
    known = {*there, *(name.lower() for name in there)}
    offered = [name for name in there if ID.fullmatch(name)]
    for path in [("numbers",), *((*at, "press") for _, at in menus(source))]:
        for key, target in mapping(source, *path).items():
            _target(source, (*path, key), target, "target", known, offered)
    menu_names = dict(menus(source))
    offered = [name for name in menu_names if ID.fullmatch(name)]
    for path, value in exits(source):
        _target(source, (*path, "menu"), value.get("menu"), "menu", menu_names, offered)


def _target(source: Source, path: Path, value: Any, what: str, known: Container[str], offered: list[str]) -> None:
    target = value.strip() if isinstance(value, str) else ""
    if not target or target in known or source.full:
        return
    meant = near(target, offered)
    hint = hints.renamed(source, path, target, meant, value=True) if meant else ()
    source.at(path, unknown(target, what, offered), hint)


def _keys_twice(source: Source, path: Path) -> None:
    """`1` and `" 1"` are one key of the telephone."""
    seen: set[str] = set()
    for key in mapping(source, *path):
        if key.strip() in seen:
            source.at_key((*path, key), f"{key.strip()[:40]}: duplicate key; this menu has it already")
        seen.add(key.strip())


def _numbers(source: Source) -> None:
    first: dict[str, int] = {}
    for text in mapping(source, "numbers"):
        number = numbers.read(text)
        place = source.key_place(("numbers", text))
        if number is None:
            continue  # the schema says so
        if number.e164 in first:
            source.at_key(("numbers", text), f"{text}: claimed twice; it stands in line {first[number.e164]} already")
        first.setdefault(number.e164, place.line)


def _other_number(source: Source) -> None:
    """The key for another number is not the one that accepts, wherever either is inherited from."""
    of_brand = mapping(source)
    for path in [(), *(("branches", name) for name in mapping(source, "branches"))]:
        here = mapping(source, *path)
        other, accept = ((here.get(key) or of_brand.get(key)) for key in ("other_number", "accept"))
        own = "other_number" in here or "accept" in here
        accepting = list(accept) if isinstance(accept, dict) else [str(accept or "1")]
        if own and isinstance(other, str) and other.strip() in {key.strip() for key in accepting}:
            at: Path = (*path, "other_number" if "other_number" in here else "accept")
            source.at(at, f"{at[-1]}: {other.strip()} is the key that accepts and the one for another number")


def _texted(source: Source) -> None:
    """A phrase that is texted cannot be a recording."""
    for phrase in TEXTED:
        if "play" in mapping(source, "phrases", phrase):
            source.at(("phrases", phrase), f"{phrase}: this phrase is texted, not spoken; write a text")


def _outward(source: Source) -> None:
    """A URL into a private network would let whoever writes the file reach what only this server can."""
    for holder in ("desk", "push"):
        webhook = mapping(source, holder, "webhook")
        url, allowed = webhook.get("url"), str(webhook.get("allow_private", "")).strip().lower()
        path: Path = (holder, "webhook", "url")
        if isinstance(url, str) and path not in source.faulty and allowed not in ("yes", "true") and names_private(url):
            message = "url: leads into a private network; write a public address, or allow_private: yes beside it"
            source.at(path, message)


def claimed_elsewhere(source: Source, claims: Mapping[str, str]) -> None:
    """A number of this file that a file read before has already. `claims`: E.164 to `file:line`."""
    for text in mapping(source, "numbers"):
        number = numbers.read(text)
        if number and number.e164 in claims:
            source.at_key(("numbers", text), f"{text}: claimed twice; {claims[number.e164]} has it already")
