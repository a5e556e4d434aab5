"""The texts of a brand's file: which there are, what each may ask for, and how each comes out at its longest."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from ivr.flow import hints
from ivr.flow.findings import near, unknown
from ivr.flow.hours import LONGEST
from ivr.flow.model import M_ME
from ivr.flow.scalars import UNSPEAKABLE
from ivr.flow.source import Path, Source
from ivr.flow.words import (
    DIGITS_CLOSE,
    DIGITS_OPEN,
    OF_THE_CALL,
    PHRASE_VARIABLES,
    TEXTED,
    TemplateFault,
    duration,
    variables,
    words,
)

_BRAND = frozenset({"brand", "caller"})
EXPECTED = ("received", "late", "closed", "ended")
LONGEST_PROMISE = LONGEST.removeprefix("on ")
MOST_READ = 20_000  # characters of a template
MOST_WRITTEN = 1600  # Twilio error 21617
# Twilio reads 64 kB of a document (11750). A prompt is in it five times at most, after an apology and before a goodbye.
MOST_SPOKEN = 8_000  # bytes
# No caller's number is longer in full format or in E.164; who withholds it is named in words.
CALLERS = ("+1(415) 555-2671", "your number")

Kind = Literal["offer", "greeting", "text", "prompt"]


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the file. `known`: the values that the file gives to its variables."""

    path: Path
    kind: Kind
    allowed: frozenset[str]
    known: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rendered:
    """How a text comes out, for each kind of caller that makes a difference."""

    kind: Kind
    uses: frozenset[str]
    outcomes: tuple[str, ...]
    known: Mapping[str, str]


def node(source: Source, path: Path) -> Any:
    """What stands at `path`, or None."""
    found = source.data
    for step in path:
        if isinstance(found, list) and isinstance(step, int):
            found = found[step] if step < len(found) else None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    return found


def mapping(source: Source, *path: str | int) -> dict[str, Any]:
    """The mapping at `path`, or an empty one where there is something else."""
    found = node(source, path)
    return found if isinstance(found, dict) else {}


def menus(source: Source) -> Iterator[tuple[str, Path]]:
    """Every menu's name and path: `menu`, then those of `menus`."""
    if "menu" in mapping(source):
        yield "menu", ("menu",)
    for name in mapping(source, "menus"):
        yield name, ("menus", name)


def closings(source: Source) -> Iterator[Path]:
    """The path of every `closed`."""
    for holder in ((), *(("branches", name) for name in mapping(source, "branches"))):
        if "closed" in mapping(source, *holder):
            yield (*holder, "closed")


def in_closed(path: Path) -> bool:
    return path[0] == "closed" or (path[0] == "branches" and path[2:3] == ("closed",))


def owner(path: Path) -> Path:
    """The brand, branch or menu that a text or a way on belongs to."""
    if in_closed(path):
        return path[:2] if path[0] == "branches" else ()
    return path[:-1]


def closed_of(source: Source, branch: Path) -> Path | None:
    """The `closed` that a branch's callers hear out of hours, its own or the brand's."""
    here, of_brand = mapping(source, *branch), mapping(source)
    if "hours" not in here and "hours" not in of_brand:
        return None
    return (*branch, "closed") if "closed" in here else ("closed",) if "closed" in of_brand else None


def heard_at(source: Source, path: Path) -> list[Path]:
    """Whose callers hear a text or are led a way: one branch or menu, or all branches with the brand's `closed`."""
    if path[0] != "closed":
        return [owner(path)]
    branches: list[Path] = [("branches", name) for name in mapping(source, "branches")]
    return [branch for branch in branches if closed_of(source, branch) == ("closed",)]


def exits(source: Source) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The path and content of every `otherwise` and `fallback`."""
    holders: list[Path] = [(), *(path for _, path in menus(source))]
    holders += [("branches", name) for name in mapping(source, "branches")]
    holders += closings(source)
    for holder in holders:
        for key in ("otherwise", "fallback"):
            value = mapping(source, *holder, key)
            if value:
                yield (*holder, key), value


def rendered(source: Source) -> dict[Path, Rendered]:
    """Every text as callers get it. A text that cannot be used is a finding instead, unless the schema found it."""
    found = {}
    for text in _texts(source):
        written = node(source, text.path)
        if isinstance(written, str) and written.strip() and text.path not in source.faulty:
            read = _read(source, text, written)
            if read:
                found[text.path] = read
    return found


def _texts(source: Source) -> Iterator[Text]:
    name = mapping(source).get("name", "")
    good = isinstance(name, str) and ("name",) not in source.faulty
    known = {"brand": name.strip() if good else "brand", **_agent_hours(mapping(source))}
    of_branches = {branch: _of_branch(source, branch, known) for branch in mapping(source, "branches")}
    for _, path in menus(source):
        yield Text((*path, "say"), "prompt", _BRAND, known)
    for branch, its in of_branches.items():
        yield Text(("branches", branch, "offer"), "offer", _BRAND | its.keys(), its)
        its = {**its, **_messenger(source)}
        yield Text(("branches", branch, "greeting"), "greeting", _BRAND | its.keys(), its)
    for path in closings(source):
        its = {**(of_branches[str(path[1])] if path[0] == "branches" else known), "opens": LONGEST}
        yield Text((*path, "offer"), "offer", _BRAND | its.keys(), its)
        its = {**its, **_messenger(source)}
        yield Text((*path, "greeting"), "greeting", _BRAND | its.keys(), its)
    for path, _ in exits(source):
        its = of_branches[str(path[1])] if path[0] == "branches" else known
        its = {**its, "opens": LONGEST} if in_closed(path) else its
        yield Text((*path, "say"), "prompt", _BRAND | its.keys(), its)
    for phrase in mapping(source, "phrases"):
        if phrase in PHRASE_VARIABLES:
            kind: Kind = "text" if phrase in TEXTED else "prompt"
            yield Text(("phrases", phrase), kind, PHRASE_VARIABLES[phrase], known)
    for variable in mapping(source, "sender", "whatsapp", "variables"):
        its = _shared(list(of_branches.values())) if of_branches else known
        yield Text(("sender", "whatsapp", "variables", variable), "text", _BRAND | its.keys(), its)
    yield from _promised(source, known, of_branches)
    for holder in ((), *(("branches", name) for name in of_branches)):
        yield from _asked(source, (*holder, "identify"), of_branches[str(holder[1])] if holder else known)


def _messenger(source: Source) -> Mapping[str, str]:
    """A greeting's link to Messenger, as long as one is."""
    page = mapping(source, "messenger").get("page")
    return {"messenger_link": f"{M_ME}{page.strip()}?ref={'0' * 32}"} if isinstance(page, str) else {}


def _promised(source: Source, known: Mapping[str, str], of_branches: Mapping[str, Mapping[str, str]]) -> Iterator[Text]:
    """The texts along a conversation. The brand's know of a branch what all that get them have."""
    for holder in ((), *(("branches", name) for name in of_branches)):
        for name in mapping(source, *holder, "expect"):
            if name in EXPECTED:
                getting = [its for branch, its in of_branches.items() if _gets(source, branch, name, holder)]
                its = _shared(getting) if getting else known
                its = {**its, **({"promised_at": LONGEST_PROMISE} if "sla" in its else {})}
                its |= {"opens": LONGEST} if "agent_hours" in its else {}
                yield Text((*holder, "expect", name), "text", _BRAND | its.keys(), its)
        if "follow_up" in mapping(source, *holder):
            its = of_branches[holder[1]] if holder else known
            yield Text((*holder, "follow_up", "text"), "text", _BRAND | its.keys(), its)


def _gets(source: Source, branch: str, name: str, holder: Path) -> bool:
    own = name in mapping(source, "branches", branch, "expect")
    return holder == ("branches", branch) if own else holder == ()


def _shared(of_branches: list[Mapping[str, str]]) -> Mapping[str, str]:
    return {name: of_branches[0][name] for name in set.intersection(*(set(its) for its in of_branches))}


def _asked(source: Source, path: Path, known: Mapping[str, str]) -> Iterator[Text]:
    """The texts of an `identify`, which know nothing of the caller."""
    asking = node(source, path)
    listed = asking.get("questions") if isinstance(asking, dict) else None
    paths = [(*path, name) for name in ("why", "thanks")]
    for place in range(len(listed) if isinstance(listed, list) else 0):
        paths += [(*path, "questions", place, name) for name in ("ask", "retry")]
    yield from (Text(each, "text", frozenset(known), known) for each in paths)


def _of_branch(source: Source, branch: str, of_brand: Mapping[str, str]) -> Mapping[str, str]:
    """What the file says for the variables of a branch's texts."""
    here = mapping(source, "branches", branch)
    known = {**of_brand, **_agent_hours(here), "branch": branch}
    sla = here.get("sla")
    if sla is None:
        return known
    said = duration(sla) if isinstance(sla, str) else None
    return {**known, "sla": said.spoken if said else "10 minutes"}


def _agent_hours(holder: Mapping[str, Any]) -> Mapping[str, str]:
    hours = holder.get("hours")
    said = hours.get("open") if isinstance(hours, dict) else hours
    return {"agent_hours": " ".join(str(said).split())} if said is not None else {}


def outcomes(written: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """How a text comes out, for each kind of caller that makes a difference. Raises TemplateFault when it fails."""
    read = words(written, known)
    callers = CALLERS if read.source is not None else CALLERS[:1]
    return tuple(read.spoken(dict.fromkeys(OF_THE_CALL - known.keys(), caller)) for caller in callers)


def _read(source: Source, text: Text, written: str) -> Rendered | None:
    name = text.path[-1]
    if len(written) > MOST_READ:
        source.at(text.path, f"{name}: {len(written):,} characters; at most {MOST_READ:,} are read")
        return None
    try:
        uses = variables(written)
        if strange := sorted(uses - text.allowed):
            for variable in strange:
                _strange(source, text, variable, written)
            return None
        come_out = outcomes(written, text.known)
        fault = next(filter(None, (_fault(text.kind, outcome) for outcome in come_out)), None)
    except TemplateFault as error:
        fault = str(error)
    if fault:
        source.at(text.path, f"{name}: {fault}")
        return None
    return Rendered(text.kind, frozenset(uses), come_out, text.known)


def _strange(source: Source, text: Text, variable: str, written: str) -> None:
    if variable == "promised_at" and "expect" not in text.path:
        message = "promised_at: only the texts of `expect` know by when an answer is promised; say it there"
        source.at(text.path, f"{text.path[-1]}: {message}")
        return
    if variable == "opens" and "expect" in text.path:
        source.at(text.path, f"{text.path[-1]}: opens: without hours it never closes; add hours, or leave it out")
        return
    if variable == "opens":
        source.at(text.path, f"{text.path[-1]}: opens: only the texts of `closed` know when it opens; say it there")
        return
    whose = "this branch has" if text.path[0] == "branches" else "not every branch that gets it has"
    promise = variable in ("sla", "promised_at") and (text.path[0] in ("branches", "expect"))
    no_sla = f"; {whose} {'no' if whose.startswith('this') else 'an'} sla" if promise else ""
    meant = near(variable, text.allowed)
    hint: hints.Hint = (f"{{{{ {meant} }}}}",) if meant else ()
    if no_sla and text.path[0] == "branches":
        hint = hints.added(source, (*text.path[:2], "sla"))
    elif re.search(rf"\{{%[^%]*\b{variable}\b", written):
        hint = ()
    message = unknown(variable, "template variable", text.allowed)
    source.at(text.path, f"{text.path[-1]}: {message}{no_sla}", hint)


def _fault(kind: Kind, outcome: str) -> str | None:
    """What is wrong with a text once it is filled in."""
    if not outcome.strip():
        return "comes out empty; write a text"
    if UNSPEAKABLE.search(outcome.replace(DIGITS_OPEN, "").replace(DIGITS_CLOSE, "")):
        return "comes out with a control character in it; remove it"
    if kind in ("greeting", "text"):
        if len(outcome) > MOST_WRITTEN:
            return f"comes out {len(outcome):,} characters long; at most {MOST_WRITTEN:,}"
    elif len(outcome) > MOST_SPOKEN // 6 and (size := len(escape(outcome).encode())) > MOST_SPOKEN:
        return f"comes out {size:,} bytes long; at most {MOST_SPOKEN:,}"
    return None
