"""Liquid: what a property says once the call has filled it in."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError

MOST_TURNS = 15  # of Studio's Liquid loops
MOST_READ, MOST_WRITTEN = 20_000, 100_000  # characters


class CannotRender(Exception):
    """One sentence for a person."""


class _Studio(Environment):
    loop_iteration_limit = MOST_TURNS
    output_stream_limit = MOST_WRITTEN
    context_depth_limit = 10


_environment = _Studio()


def filled(text: str, known: Mapping[str, Any]) -> str:
    """The text with its Liquid filled in; what nobody knows comes out empty, as in Studio."""
    if "{{" not in text and "{%" not in text:
        return text
    if len(text) > MOST_READ:
        raise CannotRender(f"Liquid over {MOST_READ:,} characters is not run here")
    try:
        return _template(text).render(**known)
    except (LiquidError, ArithmeticError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise CannotRender(f"the Liquid cannot be filled in ({str(error).splitlines()[0][:100]})") from None


@lru_cache(maxsize=512)
def _template(text: str) -> BoundTemplate:
    return _environment.from_string(text)
