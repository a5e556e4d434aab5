"""Warnings: what works, and yet is most likely not what the brand wants. An error nearby is said alone."""

import re
from collections.abc import Mapping
from pathlib import PurePath

from ivr.flow import closing, hints, identify_advice, promise_advice, reach
from ivr.flow.hints import Hint
from ivr.flow.segments import ALONE, segments
from ivr.flow.source import Path, Source
from ivr.flow.texts import Rendered, exits, heard_at, mapping, menus, node, outcomes, owner
from ivr.flow.words import TemplateFault, duration
from ivr.lookalikes import plain

# Twilio's default opt-out words; in small letters one counts only where the text says to send it.
_WORDS = "STOP|STOPALL|UNSUBSCRIBE|END|QUIT|REVOKE|OPTOUT|CANCEL"
_OPT_OUT = re.compile(rf"\b(?:{_WORDS})\b|(?i:\b(?:reply|text|send|answer|write)(?:\s+with)?\W+(?:{_WORDS})\b)")

# How a key is said; in a language that is not here only its digit can be looked for, so a word is believed.
_SAID = {
    "en": "zero one two three four five six seven eight nine star pound",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve asterisco almohadilla",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf étoile dièse",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun stern raute",
}
_KEYS = "0123456789*#"
_ALSO = {"*": {"en": "asterisk", "es": "estrella"}, "#": {"en": "hash", "es": "numeral"}}

# The keys of an offer: which one unless said, how a finding says that it is not in the offer, and how an offer says it.
_ANOTHER = "its key for another number; say that {} asks for one"
_OFFERED = {
    "accept": ("1", "its key; say that {} accepts", "Press {} and we will text you."),
    "other_number": ("", _ANOTHER, "For a text at another number, press {}."),
}
_OF_BRANCHES = ("accept", "confirm", "other_number", "regions")  # without effect on a menu
_MOST_NAMED = 5  # menus of a circle

# Twilio error 13521: what a voice speaks at once, in characters.
_MOST_SPOKEN = {"Polly.": 3000, "Google.": 5000}
_BASIC = 4096


def advise(source: Source, texts: Mapping[Path, Rendered]) -> None:
    """Add the warnings to `source.findings`."""
    for path, text in texts.items():
        if text.kind == "greeting":
            _length(source, path, text)
        if text.kind == "greeting" or "follow_up" in path:
            _opt_out(source, path, text)
        elif text.kind != "text":
            _voice(source, path, text)
        if text.kind == "offer":
            for key in _OFFERED:
                _key(source, path, text, key)
    for branch in mapping(source, "branches"):
        _sla(source, ("branches", branch), texts)
    closing.advise(source, texts)
    promise_advice.advise(source, texts)
    identify_advice.advise(source, texts)
    _without_effect(source)
    _fallbacks(source)
    _circles(source)
    _unreached(source)


def _length(source: Source, path: Path, text: Rendered) -> None:
    worst = max(map(segments, text.outcomes), key=lambda counted: (counted.count, counted.characters))
    if worst.count == 1 or ("name",) in source.faulty or (*owner(path), "sla") in source.faulty:
        return
    forced = f", {worst.forced_by} forces UCS-2" if worst.forced_by else ""
    unless = f" in UCS-2, {ALONE['GSM-7']} without {worst.forced_by}" if worst.forced_by else ""
    source.warning(
        source.place(path),
        f"greeting: {worst.count} SMS segments ({worst.characters:,} characters{forced}); "
        f"one segment takes {worst.limit}{unless}",
        _in_plain(source, path, text) if worst.forced_by else (),
    )


def _in_plain(source: Source, path: Path, text: Rendered) -> Hint:
    """The greeting with look-alikes made plain, where these alone made it long."""
    plainer = plain(node(source, path).strip())
    try:
        short = all(segments(outcome).count == 1 for outcome in outcomes(plainer, text.known))
    except TemplateFault:  # a constant in it was not plain
        return ()
    return hints.changed(source, path, plainer) if short and "\n" not in plainer else ()


def _opt_out(source: Source, path: Path, text: Rendered) -> None:
    if not all(map(_OPT_OUT.search, text.outcomes)):
        what = "follow_up" if "follow_up" in path else "greeting"
        message = f"{what}: does not say how to opt out; end it with words like: Reply STOP to opt out."
        source.warning(source.place(path), message, ("Reply STOP to opt out.",))


def _key(source: Source, path: Path, text: Rendered, name: str) -> None:
    unless_said, what, words = _OFFERED[name]
    language = str(mapping(source).get("language", "en")).strip().lower()[:2]
    keys = (key for branch in heard_at(source, path) for key in _inherited(source, branch, name, unless_said))
    for key in sorted(set(keys)):
        pattern = _key_pattern(key, language) if key and ("language",) not in source.faulty else None
        if pattern and not all(re.search(pattern, outcome, re.IGNORECASE) for outcome in text.outcomes):
            like = words.format(key)
            source.warning(source.place(path), f"offer: does not say {what.format(key)}, like: {like}", (like,))


def _inherited(source: Source, branch: Path, name: str, unless_said: str) -> list[str]:
    """A key as it is on the branch, else on the brand, or those that choose a channel; none where it has an error."""
    holder = branch if name in mapping(source, *branch) else ()
    said = mapping(source, *holder).get(name, unless_said)
    if (*holder, name) in source.faulty:
        return []
    return [said.strip()] if isinstance(said, str) else [key.strip() for key in said] if isinstance(said, dict) else []


def _key_pattern(key: str, language: str) -> str | None:
    """What an offer says that says this key; None for what is no key, or where the language's words are not known."""
    if language not in _SAID or key not in list(_KEYS):
        return None
    words = [_SAID[language].split()[_KEYS.index(key)], _ALSO.get(key, {}).get(language, "")]
    spoken = "|".join(rf"\b{word}\b" for word in words if word)
    return rf"(?<![\d.,]){key}(?![\d])|{spoken}" if key.isdigit() else rf"{re.escape(key)}|{spoken}"


def _voice(source: Source, path: Path, text: Rendered) -> None:
    voice = mapping(source).get("voice")
    name = voice.strip() if isinstance(voice, str) else ""
    most = next((limit for prefix, limit in _MOST_SPOKEN.items() if name.startswith(prefix)), _BASIC)
    longest = max(len(" ".join(outcome.split())) for outcome in text.outcomes)
    if longest > most:
        speaker = name or "the basic voice"
        message = f"{path[-1]}: comes out {longest:,} characters long; {speaker} speaks {most:,} at most"
        source.warning(source.place(path), message)


def _sla(source: Source, branch: Path, texts: Mapping[Path, Rendered]) -> None:
    sla = mapping(source, *branch).get("sla")
    said = duration(sla) if isinstance(sla, str) else None
    where = [texts.get((*branch, name)) for name in ("offer", "greeting")]
    closed: Path = (*branch, "closed")
    ways = [(*branch, way, "say") for way in ("otherwise", "fallback")]
    ways += [(*closed, "offer"), (*closed, "greeting"), (*closed, "otherwise", "say")]
    ways += [(*holder, "expect", "received") for holder in (branch, ())]
    where += [texts.get(way) for way in ways if way in source.values]
    if said is None or (*branch, "sla") in source.faulty or None in where:
        return  # a recording may say it, and a text with an error might
    if not any(_mentions(text, said.spoken) for text in where if text):
        message = "sla: no text mentions it; say {{ sla }} in the offer or the greeting, or remove it"
        source.warning(source.key_place((*branch, "sla")), message, ("We answer within {{ sla }}.",))


def _mentions(text: Rendered, sla: str) -> bool:
    return bool(text.uses & {"sla", "promised_at"}) or any(sla in outcome for outcome in text.outcomes)


def _without_effect(source: Source) -> None:
    for _, path in menus(source):
        for key in _OF_BRANCHES:
            if key in mapping(source, *path) and (*path, key) not in source.faulty:
                message = f"{key}: has no effect on a menu; write it on the brand or on a branch"
                source.warning(source.key_place((*path, key)), message)


def _circles(source: Source) -> None:
    paths = dict(menus(source))
    for circle in reach.circles(source):
        named = circle[:_MOST_NAMED] + [f"{len(circle) - _MOST_NAMED:,} more"] * (len(circle) > _MOST_NAMED)
        way = "fallback" if any(reach.can_fail(mapping(source, *paths[name])) for name in circle) else "otherwise"
        source.warning(
            source.key_place((*paths[circle[0]], "otherwise")),
            f"{circle[0]}: a silent caller may be led in a circle without end ({', '.join([*named, circle[0]])}); "
            f"lead one {way} in it to a person or a goodbye",
        )


def _fallbacks(source: Source) -> None:
    if "fallback" in mapping(source):
        return
    for path, way in exits(source):
        fails = "a queue can be full" if "queue" in way else "a dialled number can be busy" if "dial" in way else None
        if (
            fails
            and path[-1] == "otherwise"
            and any("fallback" not in mapping(source, *place) for place in heard_at(source, path))
            and path not in source.faulty
        ):
            message = f"otherwise: {fails}, and no fallback follows; add a fallback here or on the brand"
            source.warning(source.key_place(path), message, hints.added(source, (*owner(path), "fallback")))


def _unreached(source: Source) -> None:
    if any(map(_leads, source.faults)):
        return
    brand = PurePath(source.file).stem
    paths, reached = reach.places(source), reach.reached_places(source)
    for name in reach.unreached(source):
        kind = "branch" if paths[name][0] == "branches" else "menu"
        source.warning(
            source.key_place(paths[name]),
            f"{name}: no number and no key reaches this {kind}; add one to numbers or to a menu's press, "
            f"or leave it if the URL /voice/{brand}/{name} is meant",
            _new_key(source, name, reached),
        )


def _leads(path: Path) -> bool:
    """Whether an error here may be the cause that a place is not reached."""
    if path[:1] == ("numbers",) or "press" in path or "menu" in path[1:]:
        return True
    return path in (("menu",), ("menus",), ("branches",)) or (len(path) == 2 and path[0] in ("branches", "menus"))


def _new_key(source: Source, name: str, reached: set[str]) -> Hint:
    """A line for the first menu with a free key that callers reach, where its keys stand one a line."""
    for path in [path for menu, path in menus(source) if menu in reached]:
        taken = {key.strip() for key in mapping(source, *path, "press")}
        free = next((key for key in "1234567890" if key not in taken), None)
        place = source.place((*path, "press"))
        if free and source.line(place)[place.column - 1 : place.column] not in ("", "{"):
            return (f"{' ' * (place.column - 1)}{free}: {name}",)
    return ()
