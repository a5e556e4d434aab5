"""What an app is told beside a push's words, so that what its user writes reaches the right agents. Pure."""

from ivr.flow.model import Branch, Flow, LivePersonDesk


def pushed(flow: Flow, branch: Branch, deflection: int, call_sid: str, skill: str | None = None) -> dict[str, str]:
    """Texts alone, and none that is empty: Google's data take nothing else. `skill`: in the place of the branch's."""
    desk = flow.desk if isinstance(flow.desk, LivePersonDesk) else LivePersonDesk(None, None)
    told = {
        "brand": flow.id,
        "branch": branch.name,
        "deflection": str(deflection),
        "call_sid": call_sid,
        "skill": skill or branch.skill,
        "campaign": desk.campaign,
        "engagement": desk.engagement,
        "deep_link": flow.push.deep_link if flow.push else "",
    }
    return {name: value for name, value in told.items() if value}
