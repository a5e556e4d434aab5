"""The way to a person when nothing else can be said: out of the menus, whichever of them the caller is in."""

from datetime import datetime

from ivr.flow import offered
from ivr.flow.model import Branch, Flow, Menu, ToMenu


def way_out(flow: Flow, place: Menu | Branch, now: datetime | None) -> Menu | Branch | None:
    """The place whose `otherwise` leads out: this one, or where it leads. None where every one leads to a menu.

    Menus that lead to each other are left by the first branch of the file with a way out: without their prompts nobody
    could leave them by a key, and each would send the caller to the next.
    """
    seen: set[str] = set()
    while isinstance(place.otherwise, ToMenu):
        onward = None if place.otherwise.name in seen else flow.place(place.otherwise.name)
        if onward is None:
            branches = (offered.entered(branch, now) for branch in flow.branches.values())
            return next((branch for branch in branches if not isinstance(branch.otherwise, ToMenu)), None)
        seen.add(place.otherwise.name)
        place = offered.entered(onward, now)
    return place
