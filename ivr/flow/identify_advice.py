"""What is wrong, or most likely not meant, with how a brand asks who consumers are."""

import re
from collections.abc import Iterator, Mapping

from ivr.flow import hints
from ivr.flow.findings import near, unknown
from ivr.flow.identify_shapes import AT_LIVEPERSON, DATES_AT_LIVEPERSON
from ivr.flow.source import Path, Source
from ivr.flow.texts import Rendered, mapping, node

# What a text message is no place for.
_SECRET = re.compile(r"\b(passwords?|cvv|cvc|card numbers?|social security|ssn|pin code)\b", re.IGNORECASE)


def identifications(source: Source) -> Iterator[Path]:
    """The path of every `identify`."""
    for holder in ((), *(("branches", name) for name in mapping(source, "branches"))):
        if "identify" in mapping(source, *holder):
            yield (*holder, "identify")


def questions(source: Source, identify: Path) -> Iterator[tuple[Path, Mapping[str, object]]]:
    listed = node(source, (*identify, "questions"))
    for place, each in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(each, dict):
            yield (*identify, "questions", place), each


def check(source: Source) -> None:
    """What the shapes cannot say: attributes twice, or none of LivePerson's."""
    at_liveperson = "liveperson" in mapping(source, "desk")
    for path in identifications(source):
        seen: set[str] = set()
        for question, its in questions(source, path):
            name = its.get("attribute")
            at: Path = (*question, "attribute")
            if not isinstance(name, str) or at in source.faulty:
                continue
            if name.strip() in seen:
                source.at(at, f"attribute: {name.strip()} is asked for twice; each question has its own")
            seen.add(name.strip())
            if at_liveperson:
                _of_liveperson(source, at, name.strip(), its.get("answer"))


def _of_liveperson(source: Source, at: Path, name: str, answer: object) -> None:
    known = AT_LIVEPERSON | DATES_AT_LIVEPERSON
    if name not in known:
        meant = near(name, known)
        hint = hints.renamed(source, at, name, meant, value=True) if meant else ()
        source.at(at, unknown(name, "attribute of LivePerson's", known), hint)
    elif name in DATES_AT_LIVEPERSON and (not isinstance(answer, str) or answer.strip().lower() != "date"):
        source.at(at, f"attribute: {name} is a date at LivePerson; write answer: date")


def advise(source: Source, texts: Mapping[Path, Rendered]) -> None:
    desk = mapping(source, "desk")
    for path in identifications(source):
        if ("desk",) not in source.faulty and not {"liveperson", "webhook"} & desk.keys():
            without = "with a native desk" if "native" in desk else "without a desk"
            message = f"identify: has no effect {without}; consumers' texts are not relayed by this server"
            source.warning(source.key_place(path), message)
        _skip(source, path, texts)
        for question, _ in questions(source, path):
            asked = texts.get((*question, "ask"))
            found = asked and _SECRET.search(asked.outcomes[0])
            if found:
                message = f"ask: a text is no place for a {found[0].lower()}; ask for what an agent may read"
                source.warning(source.place((*question, "ask")), message)


def _skip(source: Source, path: Path, texts: Mapping[Path, Rendered]) -> None:
    """Who does not want to answer should know the word for it."""
    why = texts.get((*path, "why"))
    if why and not all(re.search(r"\bskip\b", outcome, re.IGNORECASE) for outcome in why.outcomes):
        message = "why: does not say that SKIP skips a question; end it with words like: Reply SKIP to any question."
        source.warning(source.place((*path, "why")), message, ("Reply SKIP to any question.",))
