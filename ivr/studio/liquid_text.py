"""Liquid: what a property says once the call has filled it in."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import Any

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError

MOST_TURNS = 15  # of Studio's Liquid loops
MOST_READ, MOST_WRITTEN = 20_000, 100_000  # characters
MOST_OPENINGS = 500  # of Liquid in a text; those that nothing closes are read again and again
MOST_IN_A_RANGE = 10_000
MOST_PUT_IN = 10_000_000  # letters
MOST_DIGITS = 300  # of a whole number; one that is squared again and again fills any memory
_SEARCHED = re.compile(r"\{[{%][^}]*\([^()}]*\.\.")


class CannotRender(Exception):
    """One sentence for a person."""


class _Studio(Environment):
    loop_iteration_limit = MOST_TURNS
    output_stream_limit = MOST_WRITTEN
    context_depth_limit = 10


def _bounded(name: str, known: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that is given, and brings, no more than a prompt could use."""

    @wraps(known)
    def kept(left: Any, *others: Any, **named: Any) -> Any:
        if any(isinstance(each, range) and each.stop - each.start > MOST_IN_A_RANGE for each in (left, *others)):
            raise LiquidError(f"a range of over {MOST_IN_A_RANGE:,}", token=None)
        if name in ("replace", "join"):  # a text between all letters, or all entries
            sizes = [len(each) if isinstance(each, (str, list, range)) else MOST_DIGITS for each in (left, *others)]
            if (sizes[0] + 1) * max(sizes[1:], default=1) > MOST_PUT_IN:
                raise LiquidError(f"{name}: the result is too long", token=None)
        brought = known(left, *others, **named)
        too_long = isinstance(brought, (str, list)) and len(brought) > MOST_WRITTEN
        if too_long or (isinstance(brought, int) and abs(brought) >= 10**MOST_DIGITS):
            raise LiquidError(f"{name}: the result is too long", token=None)
        return brought

    return kept


_environment = _Studio()
_environment.filters.update({name: _bounded(name, known) for name, known in _environment.filters.items()})


def filled(text: str, known: Mapping[str, Any]) -> str:
    """The text with its Liquid filled in; what nobody knows comes out empty, as in Studio."""
    if "{{" not in text and "{%" not in text:
        return text
    if len(text) > MOST_READ:
        raise CannotRender(f"Liquid over {MOST_READ:,} characters is not run here")
    if text.count("{{") + text.count("{%") > MOST_OPENINGS:
        raise CannotRender(f"a text with Liquid in over {MOST_OPENINGS:,} places is not run here")
    if _SEARCHED.search(text) and any(word in text for word in ("contains", "offset", "reversed")):
        raise CannotRender("a range that is looked through is not run here")
    try:
        return _template(text).render(**known)
    except (LiquidError, ArithmeticError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise CannotRender(f"the Liquid cannot be filled in ({str(error).splitlines()[0][:100]})") from None


@lru_cache(maxsize=512)
def _template(text: str) -> BoundTemplate:
    return _environment.from_string(text)
