"""A conversation at the simulated LivePerson: its dialogs, who is in it, and how a change of it is told."""

from dataclasses import dataclass, field
from typing import Any

MAIN, SURVEY = "MAIN", "POST_SURVEY"


@dataclass(slots=True)
class Dialog:
    """Where texts go: the main one has the conversation's id, a survey its own. Each counts its events from 0."""

    id: str
    kind: str
    opened: int  # ms, as every moment here
    state: str = "OPEN"
    changed: int = 0
    closed_by: str = ""
    next_sequence: int = 0

    def take_sequence(self) -> int:
        self.next_sequence += 1
        return self.next_sequence - 1

    def close(self, by: str, moment: int) -> None:
        self.state, self.closed_by, self.changed = "CLOSE", by, moment


@dataclass(slots=True)
class Conversation:
    id: str
    account: str
    ext_consumer_id: str
    lp_consumer_id: str
    opened: int
    profile: dict[str, Any]  # the body of SetUserProfile, as received
    skill: str = "-1"
    campaign: str | None = None
    engagement: str | None = None
    context: dict[str, Any] = field(default_factory=dict)  # conversationContext, as received
    ttr: str = "NORMAL"
    agent: str | None = None  # who has it
    taken: int = 0  # when the first agent came
    changed: int = 0
    dialogs: list[Dialog] = field(default_factory=list)
    texts: list[tuple[int, str, str]] = field(default_factory=list)  # (sequence, role, text), as published

    @property
    def main(self) -> Dialog:
        return self.dialogs[0]

    @property
    def open_dialog(self) -> Dialog | None:
        """At most one is open: the main one, then the survey."""
        return next((dialog for dialog in self.dialogs if dialog.state == "OPEN"), None)

    @property
    def state(self) -> str:
        """OPEN or CLOSE: the main dialog's alone."""
        return self.main.state

    @property
    def stage(self) -> str:
        """OPEN or CLOSE: the whole conversation's, its survey included."""
        return "OPEN" if self.open_dialog else "CLOSE"

    def sequences(self, role: str) -> list[int]:
        return [sequence for sequence, who, _ in self.texts if who == role]

    def as_change(self) -> dict[str, Any]:
        """One element of the `changes` of a cqm.ExConversationChangeNotification."""
        participants = [{"id": self.lp_consumer_id, "role": "CONSUMER"}]
        if self.agent:
            participants.append({"id": self.agent, "role": "ASSIGNED_AGENT"})
        details: dict[str, Any] = {
            "skillId": self.skill,
            "brandId": self.account,
            "state": self.state,
            "stage": self.stage,
            "startTs": self.opened,
            "metaDataLastUpdateTs": self.changed,
            "ttr": {"ttrType": self.ttr, "value": 600},
            "participants": participants,
            "dialogs": [self._dialog(dialog, participants) for dialog in self.dialogs],
            "conversationHandlerDetails": {"accountId": self.account, "skillId": self.skill},
        }
        if self.campaign:
            details["campaignInfo"] = {"campaignId": self.campaign, "engagementId": self.engagement}
        if self.state == "CLOSE":
            details["closeReason"] = self.main.closed_by
        if self.stage == "CLOSE":
            details["endTs"] = self.changed
        return {
            "type": "UPSERT",
            "result": {"convId": self.id, "effectiveTTR": -1, "conversationDetails": details},
        }

    def _dialog(self, dialog: Dialog, participants: list[dict[str, str]]) -> dict[str, Any]:
        told: dict[str, Any] = {
            "dialogId": dialog.id,
            "dialogType": dialog.kind,
            "channelType": "MESSAGING",
            "state": dialog.state,
            "creationTs": dialog.opened,
            "metaDataLastUpdateTs": dialog.changed,
            "participantsDetails": [{**participant, "state": "ACTIVE"} for participant in participants],
        }
        if dialog.state == "CLOSE":
            told |= {"endTs": dialog.changed, "closedBy": dialog.closed_by}
        return told
