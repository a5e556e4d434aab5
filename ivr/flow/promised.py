"""The texts along a conversation, built: a branch's own, else the brand's, each with what its branch knows."""

from collections.abc import Mapping

from ivr.flow.model import Expect, FollowUp
from ivr.flow.schema import Branch, Brand
from ivr.flow.words import Words, variables, words

OF_A_PROMISE = frozenset({"sla", "promised_at", "branch"})
NAMES = ("received", "late", "closed", "ended")


def expect(branch: Branch, brand: Brand, known: Mapping[str, str]) -> Expect:
    return Expect(**{name: _words(_text(branch, name) or _text(brand, name), known) for name in NAMES})


def of_brand(brand: Brand, known: Mapping[str, str]) -> Expect:
    """For conversations that no branch explains, to which nothing was promised."""
    texts = {name: _text(brand, name) for name in NAMES}
    return Expect(**{name: _words(text, known) for name, text in texts.items() if text and _promises_nothing(text)})


def follow_up(branch: Branch, brand: Brand, known: Mapping[str, str], of_brand: Mapping[str, str]) -> FollowUp | None:
    if brand.desk and brand.desk.native:  # LivePerson has the answer, and nobody here knows of it
        return None
    if branch.follow_up:
        return FollowUp(branch.follow_up.after.seconds, words(branch.follow_up.text, known))
    if brand.follow_up:
        return FollowUp(brand.follow_up.after.seconds, words(brand.follow_up.text, of_brand))
    return None


def _text(holder: Branch | Brand, name: str) -> str | None:
    text: str | None = getattr(holder.expect, name) if holder.expect else None
    return text


def _words(text: str | None, known: Mapping[str, str]) -> Words | None:
    return words(text, known) if text else None


def _promises_nothing(text: str) -> bool:
    return not variables(text) & OF_A_PROMISE
