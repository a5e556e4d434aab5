"""The shapes of what a brand decides: which share hears an offer, what it aims at, what calls and texts cost."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from ivr.flow import aims
from ivr.flow.aims import Goal
from ivr.flow.scalars import LongTime, fault
from ivr.flow.shapes import Strict

_PERCENT = r"([0-9]{1,3}(?:\.[0-9]{1,2})?)\s*%"
_A_WEEK = r"([0-9]{1,6})\s+a\s+week"
_AMOUNT = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"


def _said(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise fault(f"expected {what}, found a {'mapping' if isinstance(value, dict) else 'list'}")
    return value.strip()


def _share(value: Any) -> float:
    text = _said(value, "a share")
    found = re.fullmatch(_PERCENT, text)
    if not found or not 1 <= float(found[1]) <= 100:
        raise fault(f"{text[:40]!r} is no share; write a percentage from 1% to 100%, like 90%")
    return float(found[1]) / 100


def _goal(value: Any) -> Goal:
    text = _said(value, "a goal")
    rate, count = re.fullmatch(_PERCENT, text), re.fullmatch(_A_WEEK, text, re.IGNORECASE)
    if rate and 0 < float(rate[1]) <= 100:
        return Goal(rate=float(rate[1]) / 100)
    if count and int(count[1]):
        return Goal(a_week=int(count[1]))
    raise fault(f"{text[:40]!r} is no goal; write a rate like 25%, or a count like 400 a week")


def _amount(value: Any) -> float:
    text = _said(value, "an amount")
    if not re.fullmatch(_AMOUNT, text):
        raise fault(f"{text[:40]!r} is no amount; write one without its currency, like 0.85")
    return float(text)


def _currency(value: Any) -> str:
    text = _said(value, "a currency").upper()
    if not re.fullmatch(r"[A-Z]{3}", text):
        raise fault(f"{text[:20]!r} is no currency; write its three letters, like USD or EUR")
    return text


def _written(example: str, pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": rf"^\s*{pattern}\s*$", "examples": [example]})


Share = Annotated[float, BeforeValidator(_share), _written("90%", _PERCENT)]
WrittenGoal = Annotated[
    Goal, BeforeValidator(_goal), _written("400 a week", rf"({_PERCENT}|[0-9]{{1,6}}\s+[Aa]\s+[Ww][Ee][Ee][Kk])")
]
Amount = Annotated[
    float,
    BeforeValidator(_amount),
    WithJsonSchema(
        {"type": ["string", "number"], "minimum": 0, "pattern": rf"^\s*{_AMOUNT}\s*$", "examples": ["0.85"]}
    ),
]
Currency = Annotated[str, BeforeValidator(_currency), _written("USD", "[A-Za-z]{3}")]


class Costs(Strict):
    """What calls and texts cost the brand, all told."""

    currency: Currency = Field(description="The currency of these figures, by its three letters.")
    call_minute: Amount = Field(description="A minute of a call with an agent, all told.")
    call_length: LongTime | None = Field(
        None, description="How long such a call takes, where no call log says.", examples=["6 minutes"]
    )
    conversation: Amount = Field(0.0, description="A conversation by text, the agent's time; nothing unless said.")
    text: Amount = Field(0.0, description="A text, out or in; nothing unless said.")


def costs_of(costs: Costs | None) -> aims.Costs | None:
    if costs is None:
        return None
    length = costs.call_length.seconds if costs.call_length else None
    return aims.Costs(costs.currency, costs.call_minute, length, costs.conversation, costs.text)
