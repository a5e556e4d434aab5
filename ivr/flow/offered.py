"""Which offer a caller hears, as when open or as when closed; the steps after it hold on to that one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from ivr.flow.hours import Hours
from ivr.flow.model import Branch, Exit, Menu, Recording, Spoken, ToGoodbye


def entered(place: Menu | Branch, now: datetime | None) -> Menu | Branch:
    """The place as it is at `now`."""
    if not isinstance(place, Branch) or place.closed is None or place.hours is None or now is None:
        return place
    return place if place.hours.is_open(now) else _closed(place.closed, place.hours, place.hours.opens(now), now)


def held(place: Menu | Branch, until: int | None, now: datetime | None) -> Menu | Branch:
    """The place as it was when its offer was heard: a step's `until` says that it was closed, and until when."""
    if until is None or not isinstance(place, Branch) or place.closed is None or place.hours is None:
        return place
    opens = datetime.fromtimestamp(until, UTC) if until else None
    return _closed(place.closed, place.hours, opens, now or datetime.fromtimestamp(until, UTC))


def _closed(branch: Branch, hours: Hours, opens: datetime | None, now: datetime) -> Branch:
    said = {"opens": hours.spoken(opens, now)}
    return replace(
        branch,
        offer=_filled(branch.offer, said),
        greeting=branch.greeting.filled(said),
        otherwise=_way_filled(branch.otherwise, said),
        until=int(opens.timestamp()) if opens else 0,
    )


def _filled(spoken: Spoken, said: Mapping[str, str]) -> Spoken:
    return spoken if isinstance(spoken, Recording) else spoken.filled(said)


def _way_filled(way: Exit, said: Mapping[str, str]) -> Exit:
    return ToGoodbye(_filled(way.spoken, said)) if isinstance(way, ToGoodbye) else way
