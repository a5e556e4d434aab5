"""Studio flows of an account: pushed as a draft and then published, never over what somebody did in the Console."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from ivr.clients.failure import SendError
from ivr.clients.studio import KeptFlow, TwilioStudio
from ivr.clients.twilio import Twilio
from ivr.config import Settings
from ivr.deployment.holdings import twilio_of

FLOW_SID = re.compile(r"FW[0-9a-f]{32}")
_MARK = re.compile(r"(?s)(.*) \[ivr ([0-9a-f]{16})\]")
MOST_SAID = 200  # characters of a commit message


class Edited(Exception):
    """The flow at Twilio is not what was pushed last; one sentence."""


def studio_of(settings: Settings, wait: Callable[[float], None]) -> TwilioStudio:
    """The account's flows over REST. Raises SettingsError."""
    return TwilioStudio(Twilio(twilio_of(settings), connections=1), wait)


def push(
    studio: TwilioStudio, definition: Any, name: str, sid: str, message: str, draft: bool, over: bool
) -> tuple[KeptFlow, bool]:
    """The flow as it is there now, and whether anything was written. Raises SendError, InvalidFlow and Edited.

    `sid`: "" for a new flow. `draft`: it is not published. `over`: what was edited in the Console is written over.
    """
    wanted = "draft" if draft else "published"
    there = studio.fetch(sid) if sid else None
    if there and there.definition == definition and there.status in (wanted, "published"):
        return there, False
    if there and not over:
        untouched(there)
    studio.validate(there.name if there else name, definition)
    marked = f"{' '.join(message.split())[:MOST_SAID]} [ivr {fingerprint(definition)}]"
    kept = studio.update(there.sid, "draft", definition, marked) if there else studio.create(name, definition, marked)
    if there and kept.revision != there.revision + 1 and not over:
        raise Edited(_between(there, kept))
    if draft:
        return kept, True
    published = studio.update(kept.sid, "published", definition, marked)
    if published.revision > kept.revision + 1:
        raise Edited(_between(kept, published))
    return published, True


def untouched(there: KeptFlow) -> None:
    """Raises Edited where the newest revision is not one that was pushed from here."""
    marked = _MARK.fullmatch(there.message)
    if marked and marked[2] == fingerprint(there.definition):
        return
    what = "was edited after the last push" if marked else "was not pushed from here"
    raise Edited(
        f"{there.sid}: revision {there.revision} at Twilio {what}; `pull` it and compare, "
        "or push with --over to write over it"
    )


def fingerprint(definition: Any) -> str:
    """The same for the same flow, however its keys are ordered."""
    text = json.dumps(definition, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _between(before: KeptFlow, after: KeptFlow) -> str:
    return (
        f"{after.sid}: somebody saved it between revisions {before.revision} and {after.revision}; what they did is "
        f"under revision {after.revision - 1} in the Console, and revision {after.revision} is a {after.status}"
    )


def explained(error: SendError) -> str:
    """One sentence of what became of a request."""
    if error.code == 20404 or error.code == 404:
        return "Twilio has no such flow in this account."
    if error.code in (20409, 409):
        return (
            "Twilio refused: the flow was changed by another request at the same time; nothing is published. Try again."
        )
    if error.unclear:
        return f"{error.reason}; it may have been done all the same: look in the Console before pushing again."
    if error.retry_after is not None:
        return f"{error.reason}; try again in {error.retry_after:.0f} seconds. Nothing was published."
    return f"{error.reason}."
