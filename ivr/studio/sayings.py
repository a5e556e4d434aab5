"""Sayings: a brand's words as a Studio widget says them, what only the call knows as Liquid."""

from collections.abc import Mapping
from typing import Any

from ivr.flow.model import Flow, Recording, Spoken
from ivr.flow.words import OF_THE_CALL, Words, is_plain, variables
from ivr.studio.carried import Losses, Path

CALLER = "{{contact.channel.address}}"
ENDING = "{{contact.channel.address | slice: -4, 4}}"
_UNKNOWN = dict.fromkeys(OF_THE_CALL, "") | {"caller": "your number"}
_SAID = {"caller", "ending", "accept"}


def said(flow: Flow, spoken: Spoken, losses: Losses, path: Path, accept: str = "") -> dict[str, Any]:
    """The properties of a widget that speaks."""
    if isinstance(spoken, Recording):
        return {"play": spoken.url}
    voice = {"voice": flow.voice} if flow.voice else {}
    return {"say": text(spoken, losses, path, accept), **voice, "language": flow.language}


def text(words: Words, losses: Losses, path: Path, accept: str = "") -> str:
    """The text with Liquid where the call has to fill in; what Liquid cannot do is told, and left as it is at best."""
    known: Mapping[str, str] = _UNKNOWN | {"accept": accept}
    plain = words.spoken(known)
    if "{{" in plain or "{%" in plain:
        losses.add(path, "the text has {{ or {% in it, which Studio would read as Liquid; written with a space between")
        return plain.replace("{{", "{ {").replace("{%", "{ %")
    if words.source is None:
        return plain
    if not is_plain(words.source):
        losses.add(path, "a template with more than names; written as it is for a caller whose number is withheld")
        return plain
    asked = variables(words.source) - dict(words.known).keys()
    for name in sorted(asked & _UNKNOWN.keys() - _SAID):
        losses.add(path, f"{{{{ {name} }}}}: only this server knows it; nothing is said there")
    liquid = {**known, "caller": CALLER, "ending": ENDING}
    return words.spoken({name: liquid[name] for name in asked})
