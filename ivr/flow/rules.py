"""What the schema cannot say of a brand's file: ids, targets, template variables, numbers, ways out."""

from collections.abc import Iterator, Mapping
from typing import Any

from ivr import numbers
from ivr.flow.findings import unknown
from ivr.flow.schema import ID, RESERVED, UNSPEAKABLE
from ivr.flow.source import Path, Source
from ivr.flow.words import (
    DIGITS_CLOSE,
    DIGITS_OPEN,
    OF_THE_CALL,
    PHRASE_VARIABLES,
    TemplateFault,
    Words,
    variables,
    words,
)

_BRAND = frozenset({"brand", "caller"})
_BRANCH = _BRAND | {"branch"}
MOST_WRITTEN = 1600
MOST_SPOKEN = 5000


def check(source: Source) -> None:
    """Add what is wrong to `source.findings`. Reads the raw tree, so that a wrong type elsewhere hides nothing."""
    _ids(source)
    _targets(source)
    _templates(source)
    _numbers(source)
    _ways_out(source)


def mapping(source: Source, *path: str | int) -> dict[str, Any]:
    """The mapping at `path`, or an empty one where there is something else."""
    node = source.data
    for step in path:
        node = node.get(step) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}


def menus(source: Source) -> Iterator[tuple[str, Path]]:
    """Every menu's name and path: `menu`, then those of `menus`."""
    if mapping(source, "menu"):
        yield "menu", ("menu",)
    for name in mapping(source, "menus"):
        yield name, ("menus", name)


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
            place = source.key_place((kind, name))
            if name in RESERVED:
                source.error(place, f"{name}: a reserved id; choose another than {', '.join(sorted(RESERVED))}")
            elif not ID.fullmatch(name):
                source.error(place, f"{name}: no id; allowed: a to z, 0 to 9 and dashes, a letter first, 32 at most")
            elif kind == "menus" and name in branches:
                source.error(place, f"{name}: a branch has this name already; menus and branches share their names")


def _targets(source: Source) -> None:
    menu_names = {name for name, _ in menus(source)}
    branches = mapping(source, "branches")
    if not branches:
        return  # one cause: the branches are missing
    places = menu_names | set(branches)
    for path in [("numbers",), *((*at, "press") for _, at in menus(source))]:
        for key, target in mapping(source, *path).items():
            if isinstance(target, str) and target.strip() and target.strip() not in places:
                source.error(source.place((*path, key)), unknown(target, "target", places))
    for _, at in menus(source):
        _keys_twice(source, (*at, "press"))
    for path, value in _exits(source):
        target = value.get("menu")
        if isinstance(target, str) and target.strip() and target.strip() not in menu_names:
            source.error(source.place((*path, "menu")), unknown(target, "menu", menu_names))


def _keys_twice(source: Source, path: Path) -> None:
    """`1` and `" 1"` are one key of the telephone."""
    seen: set[str] = set()
    for key in mapping(source, *path):
        if key.strip() in seen:
            source.error(source.key_place((*path, key)), f"{key.strip()}: duplicate key; this menu has it already")
        seen.add(key.strip())


def _exits(source: Source) -> Iterator[tuple[Path, dict[str, Any]]]:
    holders: list[Path] = [(), *(path for _, path in menus(source))]
    holders += [("branches", name) for name in mapping(source, "branches")]
    for holder in holders:
        for key in ("otherwise", "fallback"):
            value = mapping(source, *holder, key)
            if value:
                yield (*holder, key), value


def _templates(source: Source) -> None:
    for path, allowed in _texts(source):
        node: Any = source.data
        for step in path:
            node = node.get(step) if isinstance(node, dict) else None
        if isinstance(node, str) and node.strip():  # an empty one is the schema's to find
            _template(source, path, node, allowed)


def _texts(source: Source) -> Iterator[tuple[Path, frozenset[str]]]:
    """The path of every text that is a template, and the variables it may use."""
    for _, path in menus(source):
        yield (*path, "say"), _BRAND
    for name, branch in mapping(source, "branches").items():
        allowed = _BRANCH | {"sla"} if isinstance(branch, dict) and "sla" in branch else _BRANCH
        yield ("branches", name, "offer"), allowed
        yield ("branches", name, "greeting"), allowed
    for path, _ in _exits(source):
        yield (*path, "say"), _BRAND
    for name in mapping(source, "phrases"):
        if name in PHRASE_VARIABLES:
            yield ("phrases", name), PHRASE_VARIABLES[name]


def _template(source: Source, path: Path, text: str, allowed: frozenset[str]) -> None:
    try:
        used = variables(text)
        for name in sorted(used - allowed):
            hint = "; this branch has no sla" if name == "sla" and "branch" in allowed else ""
            source.error(source.place(path), f"{path[-1]}: {unknown(name, 'template variable', allowed)}{hint}")
        fault = None if used - allowed else _fault_of(path, words(text, dict.fromkeys(allowed, "word")))
    except TemplateFault as error:
        fault = str(error)
    if fault:
        source.error(source.place(path), f"{path[-1]}: {fault}")


def _fault_of(path: Path, read: Words) -> str | None:
    """What is wrong with a text once it is filled in, whoever calls."""
    for caller in ("+1(415) 555-2671", "your number"):
        rendered = read.spoken(dict.fromkeys(OF_THE_CALL, caller))
        if not rendered.strip():
            return "comes out empty; write a text"
        if UNSPEAKABLE.search(rendered.replace(DIGITS_OPEN, "").replace(DIGITS_CLOSE, "")):
            return "comes out with a control character in it; remove it"
        # Twilio error 21617 for a text; no voice takes more than 5,000 characters (13521).
        most = MOST_WRITTEN if path[-1] == "greeting" else MOST_SPOKEN
        if len(rendered) > most:
            return f"comes out {len(rendered):,} characters long; at most {most:,}"
    return None


def _numbers(source: Source) -> None:
    first: dict[str, int] = {}
    for text in mapping(source, "numbers"):
        number = numbers.read(text)
        place = source.key_place(("numbers", text))
        if number is None:
            continue  # the schema says so
        if number.e164 in first:
            source.error(place, f"{text}: claimed twice; it stands in line {first[number.e164]} already")
        first.setdefault(number.e164, place.line)


def claimed_elsewhere(source: Source, claims: Mapping[str, str]) -> None:
    """A number of this file that a file read before has already. `claims`: E.164 to `file:line`."""
    for text in mapping(source, "numbers"):
        number = numbers.read(text)
        if number and number.e164 in claims:
            place = source.key_place(("numbers", text))
            source.error(place, f"{text}: claimed twice; {claims[number.e164]} has it already")


def _ways_out(source: Source) -> None:
    """A menu from which only menus are reached, however one declines, keeps a caller from a person for ever."""
    leads = {name: _leads_to(mapping(source, *path)) for name, path in menus(source)}
    leads |= {name: _leads_to(mapping(source, "branches", name)) for name in mapping(source, "branches")}
    ways_out = {name for name, targets in leads.items() if targets is None or targets - leads.keys()}
    while more := {name for name, targets in leads.items() if targets and targets & ways_out} - ways_out:
        ways_out |= more
    for name, path in menus(source):
        if name not in ways_out:
            message = f"{name}: a menu without a way out; lead a key or otherwise to a queue, a number or a goodbye"
            source.error(source.key_place(path), message)


def _leads_to(place: Mapping[str, Any]) -> set[str] | None:
    """The places that a menu or branch leads to, or None when its `otherwise` leaves them all."""
    otherwise = place.get("otherwise")
    if not isinstance(otherwise, dict) or not isinstance(otherwise.get("menu"), str):
        return None
    press = place.get("press")
    keys = press.values() if isinstance(press, dict) else ()
    return {target.strip() for target in (otherwise["menu"], *keys) if isinstance(target, str)}
