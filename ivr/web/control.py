"""The control group: which offers are kept from a caller, the same at every call."""

from dataclasses import replace

from ivr import numbers
from ivr.flow import aims
from ivr.flow.engine import Heard
from ivr.runtime import Brand, Runtime
from ivr.store.calls import Call


def drawn(here: Runtime, brand: Brand, heard: Heard, call: Call) -> Heard:
    """What was heard, with the caller's lot. Who cannot be told from others belongs to no group, and hears all."""
    who = numbers.caller_key(call.caller)
    if who is None:
        return heard
    lot = aims.lot(here.settings.secret_key, brand.flow.id, who)
    return replace(heard, held_back=aims.held_back(brand.shares, lot))
