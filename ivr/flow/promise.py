"""The promise: by when an agent answers what a consumer writes, and how a person says that."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from ivr.flow.hours import Hours, spoken
from ivr.flow.model import Branch, Flow


def hours_of(flow: Flow, branch: Branch | None) -> Hours | None:
    """When somebody is there for a conversation; None is always."""
    return branch.hours if branch else flow.hours


def is_open(flow: Flow, branch: Branch | None, now: datetime) -> bool:
    hours = hours_of(flow, branch)
    return hours is None or hours.is_open(now)


def due(branch: Branch | None, wrote_at: datetime) -> datetime | None:
    """By when the first answer is promised: within `sla`, out of hours within `sla` of the opening."""
    if branch is None or branch.sla is None:
        return None
    hours = branch.hours
    begins = wrote_at if hours is None or hours.is_open(wrote_at) else hours.opens(wrote_at)
    return begins + timedelta(seconds=branch.sla.seconds) if begins else None


def values(flow: Flow, branch: Branch | None, wrote_at: datetime, now: datetime) -> Mapping[str, str]:
    """What a text about the promise can say at `now`. Where there is no promise, or it never closes, it is empty."""
    hours, promised = hours_of(flow, branch), due(branch, wrote_at)
    opens = hours.spoken(hours.opens(now), now) if hours else ""
    return {"opens": opens, "promised_at": by(promised, now, flow.timezone) if promised else ""}


def by(moment: datetime, now: datetime, zone: str) -> str:
    """As it stands after "by": 2:32 PM, tomorrow at 8:10 AM, Monday at 8:10 AM."""
    said = spoken(moment, now, zone)
    return said.removeprefix("at ").removeprefix("on ")
