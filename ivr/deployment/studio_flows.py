"""Studio flows of an account: pushed as a draft and then published, never over what somebody did in the Console."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from ivr.clients.failure import SendError
from ivr.clients.studio import InvalidFlow, KeptFlow, TwilioStudio
from ivr.clients.twilio import Twilio
from ivr.config import Settings
from ivr.deployment.holdings import twilio_of

FLOW_SID = re.compile(r"FW[0-9a-f]{32}")
_MARK = re.compile(r"(?s)(.*) \[ivr ([0-9a-f]{16})(?: as ([0-9]{1,9}))?\]")
MOST_SAID = 200  # characters of a commit message


class Edited(Exception):
    """The flow at Twilio is not what was pushed last; one sentence."""


class Unpublished(Exception):
    """A draft is at Twilio, and what follows it failed; one sentence that names it."""


def studio_of(settings: Settings, wait: Callable[[float], None]) -> TwilioStudio:
    """The account's flows over REST. Raises SettingsError."""
    return TwilioStudio(Twilio(twilio_of(settings), connections=1), wait)


def push(
    studio: TwilioStudio, definition: Any, name: str, sid: str, message: str, draft: bool, over: bool
) -> tuple[KeptFlow, bool]:
    """The flow as it is there now, and whether anything was written.

    Raises SendError and InvalidFlow while nothing is written, Edited, and Unpublished.
    `sid`: "" for a new flow. `draft`: it is not published. `over`: what was edited in the Console is written over.
    """
    there = studio.fetch(sid) if sid else None
    if there and there.definition == definition and there.status in ("draft" if draft else "published", "published"):
        if not over:
            _first_in_time(there)
        return there, False
    if there and not over:
        untouched(there)
    studio.validate(there.name if there else name, definition)
    kept = _drafted(studio, there, definition, name, message, over)
    if draft:
        return kept, True
    try:
        return _published(studio, kept, definition, message, over), True
    except InvalidFlow as error:
        raise Unpublished(_halfway(kept, f"{error}.")) from error
    except SendError as error:
        raise Unpublished(_halfway(kept, explained(error))) from error


def _drafted(
    studio: TwilioStudio, there: KeptFlow | None, definition: Any, name: str, message: str, over: bool
) -> KeptFlow:
    """The flow with its draft as the newest revision. A race that was lost is in the revision's mark, too."""
    if there is None:
        return studio.create(name, definition, _marked(message, definition, 1))
    if not over:  # the validator may have taken its time
        now = studio.fetch(there.sid)
        if now.revision != there.revision or now.definition != there.definition:
            raise Edited(f"{there.sid}: somebody saved revision {now.revision} just now; nothing is written. {_MENDED}")
    expected = there.revision + 1
    kept = studio.update(there.sid, "draft", definition, _marked(message, definition, expected))
    if kept.revision != expected and not over:
        raise Edited(f"{_between(there, kept)}, and is not published. {_MENDED}")
    return kept


def _published(studio: TwilioStudio, kept: KeptFlow, definition: Any, message: str, over: bool) -> KeptFlow:
    if not over:
        now = studio.fetch(kept.sid)
        if now.revision != kept.revision or now.definition != kept.definition:
            raise Edited(
                f"{kept.sid}: somebody saved revision {now.revision} over the draft, which is revision "
                f"{kept.revision} and is not published. {_MENDED}"
            )
    published = studio.update(kept.sid, "published", definition, _marked(message, definition, kept.revision + 1))
    if published.revision > kept.revision + 1 and not over:
        raise Edited(f"{_between(kept, published)}. {_MENDED}")
    return published


_MENDED = "`pull` it and compare, or push with --over to write over it"


def untouched(there: KeptFlow) -> None:
    """Raises Edited where the newest revision is not one that was pushed from here, over what was there then."""
    marked = _MARK.fullmatch(there.message)
    if marked and marked[2] == fingerprint(there.definition):
        _first_in_time(there)
        return
    what = "was edited after the last push" if marked else "was not pushed from here"
    raise Edited(f"{there.sid}: revision {there.revision} at Twilio {what}; {_MENDED}")


def _first_in_time(there: KeptFlow) -> None:
    """Raises Edited where a push came in behind an edit that it did not know: its mark names an earlier revision."""
    marked = _MARK.fullmatch(there.message)
    if marked and marked[3] and there.revision > int(marked[3]):
        raise Edited(
            f"{there.sid}: revision {there.revision} at Twilio was pushed over what somebody saved at the same time, "
            f"revision {there.revision - 1} in the Console; {_MENDED}"
        )


def _marked(message: str, definition: Any, revision: int) -> str:
    """The commit message, with what was pushed and the revision that it was to become."""
    return f"{' '.join(message.split())[:MOST_SAID]} [ivr {fingerprint(definition)} as {revision}]"


def fingerprint(definition: Any) -> str:
    """The same for the same flow, however its keys are ordered."""
    text = json.dumps(definition, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _between(before: KeptFlow, after: KeptFlow) -> str:
    return (
        f"{after.sid}: somebody saved it between revisions {before.revision} and {after.revision}; what they did is "
        f"under revision {after.revision - 1} in the Console, and revision {after.revision} is a {after.status}"
    )


def _halfway(kept: KeptFlow, why: str) -> str:
    return f"{kept.sid}: revision {kept.revision} is a draft there. {why} Push again with --to {kept.sid}."


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
