"""LivePerson's Messaging Interactions API: the conversations of an account, a page at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard

from ivr.clients.exchange import ATTEMPT_SECONDS
from ivr.clients.failure import SendError
from ivr.clients.liveperson_tokens import Connector, Hosts
from ivr.clients.liveperson_wire import BUSY, LOOK_UP, Wire, refusal, unreadable
from ivr.clients.oauth import Keys, authorization
from ivr.traffic.talks import Chat

PAGE = 100  # conversations, LivePerson's most
SOURCE = "IVR_Containment"  # who asks, 20 characters at most
SERVICE = "msgHist"
WANTED = ("agentParticipants", "consumerParticipants")  # and no word of what was said
# LivePerson's own advice: three more tries after a failure, and a second at least after a 429.
PAUSES = (5.0, 10.0, 15.0)
BUSY_TRIES = 10
LONGEST_PAUSE = 300.0  # seconds that a 429 may ask for before it is left for another time


@dataclass(frozen=True, slots=True)
class Page:
    """`records`: how many LivePerson sent, those that cannot be read included; the next page begins behind them."""

    count: int
    records: int
    chats: tuple[Chat, ...]


class History:
    """One account's conversations. One request at a time: LivePerson names no rate, and wants no bursts."""

    def __init__(
        self,
        account: str,
        api_url: str,
        keys: Keys,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
        clock: Callable[[], float],
        wait: Callable[[float], None],
    ) -> None:
        self._account, self._keys, self._new_id, self._now = account, keys, new_id, now
        self._clock, self._wait = clock, wait
        wire = Wire(1, clock)
        self._hosts = Hosts(Connector(account, "", "", api_url), wire, now)

    def page(self, begins: int, ends: int, offset: int, mark: Callable[[str], str]) -> Page:
        """Conversations that began in these seconds of Unix, the earliest first. Raises SendError, after some tries.

        LivePerson rounds the bounds outwards to ten minutes and refuses more than three months. `mark`: of a number.
        """
        failures = busy = 0
        while True:
            try:
                return self._page(begins, ends, offset, mark)
            except SendError as error:
                if error.permanent:
                    raise
                if error.code == BUSY:
                    busy += 1
                    pause = error.retry_after or LOOK_UP.pause
                else:
                    failures += 1
                    pause = PAUSES[min(failures, len(PAUSES)) - 1]
                if failures > len(PAUSES) or busy > BUSY_TRIES or pause > LONGEST_PAUSE:
                    raise
            self._wait(pause)

    def _page(self, begins: int, ends: int, offset: int, mark: Callable[[str], str]) -> Page:
        deadline = self._clock() + ATTEMPT_SECONDS
        path = f"/messaging_history/api/account/{self._account}/conversations/search"
        params = {"offset": str(offset), "limit": str(PAGE), "sort": "start:asc", "v": "2", "source": SOURCE}
        url = self._hosts.url(SERVICE, path, deadline)
        signed = authorization("POST", url, params, self._keys, self._new_id(), int(self._now().timestamp()))
        # The last millisecond that is wanted: the bounds are included.
        asked = {"start": {"from": begins * 1000, "to": ends * 1000 - 1}, "contentToRetrieve": list(WANTED)}
        headers = {"Authorization": signed}
        reply = self._hosts.ask(LOOK_UP, SERVICE, path, deadline, params=params, headers=headers, json=asked)
        if reply.refused:
            raise refusal(
                reply,
                "check LIVEPERSON_APP_KEY and its three companions; the key needs "
                "Data > Conversation History / Messaging Interactions",
            )
        return _read(reply.elements[0], mark)


def _read(body: Mapping[str, Any], mark: Callable[[str], str]) -> Page:
    metadata, records = body.get("_metadata"), body.get("conversationHistoryRecords")
    count = metadata.get("count") if isinstance(metadata, dict) else None
    if not _whole(count) or not isinstance(records, list):
        raise unreadable(LOOK_UP)
    chats = [_chat(record, mark) for record in records if isinstance(record, dict)]
    return Page(count, len(records), tuple(chat for chat in chats if chat))


def _chat(record: Mapping[str, Any], mark: Callable[[str], str]) -> Chat | None:
    """One conversation; None where it does not say which one it is and when it began."""
    info = record.get("info")
    if not isinstance(info, dict):
        return None
    name, began, ended = info.get("conversationId"), info.get("startTimeL"), info.get("endTimeL")
    if not isinstance(name, str) or not name or not _whole(began):
        return None
    consumer, number = _consumer(record.get("consumerParticipants"))
    first = info.get("firstConversation")
    return Chat(
        id=name,
        at=began // 1000,
        ended=ended // 1000 if _whole(ended) and info.get("status") != "OPEN" else None,
        taken=_taken(record.get("agentParticipants")),
        consumer=consumer,
        mark=mark(number) if number else "",
        first=first if isinstance(first, bool) else None,
    )


def _consumer(participants: Any) -> tuple[str, str]:
    """LivePerson's id, and the number that it has, if any; "0" and "undefined" stand for none."""
    for one in participants if isinstance(participants, list) else ():
        if isinstance(one, dict) and isinstance(one.get("participantId"), str):
            number = one.get("phone")
            if not isinstance(number, str) or sum(character.isdigit() for character in number) < 7:
                number = ""
            return one["participantId"], number
    return "", ""


def _taken(participants: Any) -> int | None:
    """When the first agent had it. Bots and who only reads along are none."""
    moments = [
        one["timeL"] // 1000
        for one in (participants if isinstance(participants, list) else ())
        if isinstance(one, dict)
        and _whole(one.get("timeL"))
        and "ASSIGNED" in str(one.get("permission", "ASSIGNED")).upper()
        and str(one.get("userTypeName", "")).lower() not in ("bot", "system")
    ]
    return min(moments, default=None)


def _whole(value: Any) -> TypeGuard[int]:
    """Whether it is a count or a moment; -1 stands for "not yet"."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
