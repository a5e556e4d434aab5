"""Which places of a brand's file lead where: menus without a way out, returns to Studio, places nobody reaches."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ivr.flow.source import Path, Source
from ivr.flow.texts import closed_of, mapping, menus

Leads = Mapping[str, frozenset[str]]


def places(source: Source) -> dict[str, Path]:
    """Every menu's and branch's name and path, in the order of the file."""
    found: dict[str, Path] = dict(menus(source))
    found.update((name, ("branches", name)) for name in mapping(source, "branches") if name not in found)
    return dict(sorted(found.items(), key=lambda item: source.key_place(item[1])))


def ways_out(source: Source) -> None:
    """A menu from which only menus are reached, however one declines, keeps a caller from a person for ever.

    A place must lead out in and out of hours.
    """
    there = places(source)
    leads = {name: _declined(source, path) for name, path in there.items()}
    back: dict[str, list[tuple[str, int]]] = {}
    for name, states in leads.items():
        for number, targets in enumerate(states):
            for target in targets or ():
                back.setdefault(target, []).append((name, number))
    still = {name: set(range(len(states))) for name, states in leads.items()}
    waiting = [
        (name, number)
        for name, states in leads.items()
        for number, to in enumerate(states)
        if to is None or to - there.keys()
    ]
    while waiting:
        name, number = waiting.pop()
        if number in still[name]:
            still[name].discard(number)
            waiting += () if still[name] else back.get(name, ())
    out = {name for name, states in still.items() if not states}
    for name, path in menus(source):
        if name not in out:
            message = f"{name}: a menu without a way out; lead a key or otherwise to a queue, a number or a goodbye"
            source.at_key(path, message)


def _declined(source: Source, path: Path) -> list[frozenset[str] | None]:
    """The places that a menu or branch leads to, in and out of hours; None when its `otherwise` leaves them all."""
    place = mapping(source, *path)
    ways = [place.get("otherwise"), *_out_of_hours(source, path)]
    return [
        _keys_of(place) | {way["menu"].strip()} if isinstance(way, dict) and isinstance(way.get("menu"), str) else None
        for way in ways
    ]


def _out_of_hours(source: Source, path: Path) -> list[Any]:
    """A branch's `otherwise` out of hours, where it has one of these."""
    closed = closed_of(source, path) if path[0] == "branches" else None
    way = mapping(source, *closed).get("otherwise") if closed else None
    return [way] if way is not None else []


def _keys_of(place: Mapping[str, Any]) -> frozenset[str]:
    press = place.get("press")
    targets = press.values() if isinstance(press, dict) else ()
    return frozenset(target.strip() for target in targets if isinstance(target, str))


def circles(source: Source) -> list[list[str]]:
    """The circles of menus in which silence alone leads a caller, each from its first menu in the file.

    One with an error in it is not among them.
    """
    onward = {name: _by_silence(source, path) for name, path in places(source).items() if path[0] != "branches"}
    order = {name: number for number, name in enumerate(onward)}
    found: list[list[str]] = []
    seen: set[str] = set()
    for name in onward:
        walked: list[str] = []
        at: str | None = name
        while at in onward and at not in seen:
            seen.add(at)
            walked.append(at)
            at = onward[at]
        if at in walked:
            circle = walked[walked.index(at) :]
            first = circle.index(min(circle, key=order.__getitem__))
            found.append(circle[first:] + circle[:first])
    return sorted(found, key=lambda circle: order[circle[0]])


def _by_silence(source: Source, path: Path) -> str | None:
    """The menu in which a caller who presses nothing may find themselves next."""
    menu = mapping(source, *path)
    way: Path = (*path, "otherwise")
    faulty = path in source.faults or way in source.faulty
    if can_fail(menu):
        way = (*path, "fallback") if "fallback" in menu else ("fallback",)
    target = mapping(source, *way).get("menu")
    return target.strip() if isinstance(target, str) and not faulty and way not in source.faulty else None


def can_fail(place: Mapping[str, Any]) -> bool:
    """Whether a place's `otherwise` may fail, so that its `fallback` is what follows."""
    otherwise = place.get("otherwise")
    return isinstance(otherwise, dict) and ("queue" in otherwise or "dial" in otherwise)


def _leads(source: Source, there: Mapping[str, Path]) -> Leads:
    """The places that each place leads to, by a key or by a way on."""
    found = {}
    for name, path in there.items():
        place = mapping(source, *path)
        ways = [place.get("otherwise"), place.get("fallback", mapping(source).get("fallback"))]
        ways += _out_of_hours(source, path)
        targets = [way.get("menu") for way in ways if isinstance(way, dict)]
        to_menus = {target.strip() for target in targets if isinstance(target, str)}
        found[name] = (_keys_of(place) | to_menus) & there.keys()
    return found


def _closure(roots: Iterable[str], leads: Mapping[str, Iterable[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(leads.get(name, ()))
    return reached


def _entries(source: Source, there: Mapping[str, Path]) -> list[str]:
    """The places that a dialled number enters."""
    targets = mapping(source, "numbers").values()
    return [target.strip() for target in targets if isinstance(target, str) and target.strip() in there]


def returns(source: Source) -> None:
    """`studio: return` for a caller whom no Studio flow sent leads nowhere."""
    there = places(source)
    leads = _leads(source, there)
    by_number = _closure(_entries(source, there), leads)
    by_menu = _closure((target for menu, _ in menus(source) for target in leads[menu] if target != menu), leads)
    said: set[Path] = set()
    for name, path in there.items():
        for way in _studio(source, path):
            if (name in by_number or name in by_menu) and way not in said:
                said.add(way)
                leader = "a number" if name in by_number else "a menu"
                message = f"studio: return where {leader} leads ({name}); only a caller whom Studio sent can return"
                source.at(way, f"{message}; allowed here: queue, dial, redirect, say, menu")


def _studio(source: Source, path: Path) -> Iterator[Path]:
    """Every `studio: return` of a place, the one that it inherits from the brand included."""
    inherited: Path = (*path, "fallback") if "fallback" in mapping(source, *path) else ("fallback",)
    closed = closed_of(source, path) if path[0] == "branches" else None
    for way in ((*path, "otherwise"), inherited, *([(*closed, "otherwise")] if closed else [])):
        if "studio" in mapping(source, *way) and (*way, "studio") not in source.faults:
            yield (*way, "studio")


def reached_places(source: Source) -> set[str]:
    """The places that a number or a key reaches.

    A brand without numbers is reached by its URL, which enters the menu; without a menu every branch has its URL.
    """
    there = places(source)
    entries = _entries(source, there)
    if not mapping(source, "numbers"):
        entries = ["menu"] if "menu" in there else list(there)
    return _closure(entries, _leads(source, there))


def unreached(source: Source) -> list[str]:
    """The places that no number and no key reaches; of those that lead to each other, the first."""
    there = places(source)
    leads = _leads(source, there)
    reached = reached_places(source)
    led = {target for name, targets in leads.items() for target in targets if target != name}
    found = []
    for name in sorted(there, key=lambda name: name in led):  # first those that nothing leads to at all
        if name not in reached:
            found.append(name)
            reached |= _closure([name], leads)
    return found
