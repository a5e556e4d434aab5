"""What a brand aims at with its offers, what calls and texts cost it, and who hears no offer so that it can be told."""

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

_FINE = 1 << 53


@dataclass(frozen=True, slots=True)
class Goal:
    """Exactly one is set. A deflection is an accepted offer whose text was not refused and did not fail."""

    rate: float | None = None  # deflections of the offers that were heard, 0 to 1
    a_week: int | None = None  # deflections a week


@dataclass(frozen=True, slots=True)
class Costs:
    """What things cost the brand, in units of `currency` (three letters of ISO 4217)."""

    currency: str
    call_minute: float  # a minute of a call with an agent, all told
    call_length: int | None  # seconds that such a call takes; a call log knows better
    conversation: float  # a conversation by text, the agent's time
    text: float  # a text out or in


def lot(secret: str, brand: str, caller: str) -> float:
    """The lot that a caller draws at a brand, 0 to below 1: the same at every call and in every branch.

    Keyed (HMAC-SHA256), so that nobody can tell from a number who hears an offer.
    """
    drawn = hmac.digest(secret.encode(), f"share {brand} {caller}".encode(), hashlib.sha256)
    return (int.from_bytes(drawn[:8], "big") >> 11) / _FINE


def sharing(branches: Mapping[str, Any]) -> Mapping[str, float]:
    """The branches some callers of which hear no offer, each with the share that does."""
    return {name: branch.share for name, branch in branches.items() if branch.share < 1}


def held_back(shares: Mapping[str, float], drawn: float) -> Collection[str]:
    """The branches whose offer is kept from who drew this lot."""
    return frozenset(name for name, share in shares.items() if drawn >= share)
