"""What the API answers: rows in the words of its shapes."""

from collections.abc import Mapping
from datetime import datetime

from ivr.flow import refusals
from ivr.flow.model import Branch, Flow
from ivr.invitation import Eligible
from ivr.store.invitations import Became
from ivr.web.api_shapes import ChannelEligibility, ConversationOfOne, Deflection, Eligibility, Reason, State

SMS = "sms"
STATES: Mapping[str, State] = {
    "due": "pending",
    "sending": "pending",
    "unclear": "pending",
    "sent": "sent",
    "delivered": "delivered",
    "failed": "failed",
    "dead": "expired",
}


def eligibility(found: Eligible, branch: Branch, now: datetime) -> Eligibility:
    """Every channel with its own reasons, in the order of preference; sms is the one there is."""
    channels = [ChannelEligibility(channel=SMS, eligible=found.why_not is None, reasons=reasons(found.why_not))]
    reaching = [channel.channel for channel in channels if channel.eligible]
    return Eligibility(
        eligible=bool(reaching),
        recommended=reaching[0] if reaching else None,
        channels=channels,
        reasons=[] if reaching else [reason for channel in channels for reason in channel.reasons],
        open_conversation=found.conversation,
        open=branch.hours is None or branch.hours.is_open(now),
    )


def reasons(word: str | None) -> list[Reason]:
    return [Reason(reason=word, detail=refusals.reason(word))] if word else []


def deflection(became: Became, flow: Flow | None) -> Deflection:
    branch = flow.branches.get(became.branch) if flow else None
    return Deflection(
        id=became.id,
        brand=became.brand,
        branch=became.branch,
        call_id=became.call_id,
        channel=became.channel or SMS,
        number=became.number,
        state=STATES[became.state] if became.state else "refused",
        reasons=reasons(became.refused),
        error_code=became.code,
        skill=became.skill or (branch.skill if branch else None),
        conversation=_conversation(became),
        accepted_at=became.asked_at,
        changed_at=became.changed_at or became.asked_at,
    )


def _conversation(became: Became) -> ConversationOfOne | None:
    if became.conversation is None:
        return None
    return ConversationOfOne(
        id=became.conversation,
        state="closed" if became.conversation_state == "closed" else "open",
        skill=became.conversation_skill,
        joined=became.conversation == became.joined,
    )
