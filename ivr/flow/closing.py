"""What is wrong, or most likely not meant, with what a branch says out of hours."""

from collections.abc import Mapping

from ivr.flow import hints
from ivr.flow.source import Path, Source
from ivr.flow.texts import Rendered, closed_of, closings, mapping, owner
from ivr.flow.words import duration

_IN_WORDS = {"opens": "when it opens", "promised_at": "by when"}


def without_hours(source: Source) -> None:
    """A `closed` that nobody can ever hear."""
    somewhere = any("hours" in mapping(source, "branches", name) for name in mapping(source, "branches"))
    for path in closings(source):
        own = "hours" in mapping(source, *owner(path)) or (path[0] == "closed" and somewhere)
        if not own and "hours" not in mapping(source):
            message = "closed: without hours it is never heard; add hours beside it, or on the brand"
            source.at_key(path, message, hints.added(source, (*path[:-1], "hours")))


def advise(source: Source, texts: Mapping[Path, Rendered]) -> None:
    for name in mapping(source, "branches"):
        branch: Path = ("branches", name)
        closed, sla = closed_of(source, branch), mapping(source, *branch).get("sla")
        said = duration(sla) if isinstance(sla, str) and (*branch, "sla") not in source.faulty else None
        if said and closed and closed not in source.faulty:
            for words in ("offer", "greeting"):
                _promise(source, texts, branch, closed, words, said.spoken)
        elif said and closed is None:
            _always(source, texts, branch, said.spoken)
    language = str(mapping(source).get("language", "en")).strip()
    for path, text in texts.items():
        for name in sorted(text.uses & {"opens", "promised_at"} if language[:2].lower() != "en" else ()):
            message = f"{path[-1]}: {{{{ {name} }}}} is said in English, the brand's language is {language[:20]}"
            source.warning(source.place(path), f"{message}; say in words {_IN_WORDS[name]}")


def _always(source: Source, texts: Mapping[Path, Rendered], branch: Path, spoken: str) -> None:
    """With hours and without `closed`, what is promised when it is open is promised by night."""
    holder = branch if "hours" in mapping(source, *branch) else ()
    hours = mapping(source, *holder).get("hours")
    if hours is None or hours == "24/7" or (*holder, "hours") in source.faulty:
        return
    for words in ("offer", "greeting"):
        text = texts.get((*branch, words))
        if text and ("sla" in text.uses or any(spoken in outcome for outcome in text.outcomes)):
            message = f"hours: {branch[-1]}'s {words} promises an answer within {spoken} out of hours, too"
            hint = hints.added(source, (*branch, "closed"))
            source.warning(
                source.key_place((*holder, "hours")), f"{message}; add a closed that says when it opens", hint
            )
            return


def _promise(
    source: Source, texts: Mapping[Path, Rendered], branch: Path, closed: Path, words: str, spoken: str
) -> None:
    """Nobody answers within the `sla` when nobody is there."""
    own = words in mapping(source, *closed)
    path = (*closed, words) if own else (*branch, words)
    text = texts.get(path)
    promised = text and ("sla" in text.uses or any(spoken in outcome for outcome in text.outcomes))
    if not text or not promised or "opens" in text.uses:
        return
    if own:
        message = f"{words}: promises an answer within {spoken} out of hours; say {{{{ opens }}}} instead"
        source.warning(source.place(path), message, ("{{ opens }}",))
    else:
        message = f"closed: {branch[-1]}'s {words} promises an answer within {spoken} out of hours, too"
        hint = hints.added(source, (*closed, words))
        source.warning(source.key_place(closed), f"{message}; write one that says {{{{ opens }}}}", hint)
