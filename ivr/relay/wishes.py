"""What a consumer's text wishes: no more texts, texts again, help; or may wish, in their own words."""

import re
from typing import Literal

# Twilio's default keywords on long codes: a text that is one of them alone, in any case.
STOP_WORDS = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"})
START_WORDS = frozenset({"START", "UNSTOP", "YES"})
HELP_WORDS = frozenset({"HELP", "INFO"})

Wish = Literal["stop", "start", "help"]

_PLEASE_STOP = re.compile(
    r"\b(stop|quit|cease)\s+(texting|messaging|contacting|sending|the\s+(texts|messages)|these\s+(texts|messages))\b"
    r"|\b(do\s*n[o']?t|never)\s+(text|message|contact)\s+me\b"
    r"|\bno\s+more\s+(texts|messages)\b"
    r"|\b(unsubscribe|remove|take)\s+me\b"
    r"|\bopt\s+(me\s+)?out\b"
    r"|\bleave\s+me\s+alone\b",
    re.IGNORECASE,
)


def wish(body: str, opt_out_type: str) -> Wish | None:
    """Whether a text says STOP, START or HELP. `opt_out_type`: OptOutType, where Twilio has answered already."""
    if opt_out_type:
        return {"STOP": "stop", "START": "start", "HELP": "help"}.get(opt_out_type.upper())  # type: ignore[return-value]
    exactly = body.strip().upper()
    word = exactly.strip(".!")  # Twilio takes "Stop." for no keyword; whoever writes it wants no more texts
    if word in STOP_WORDS:
        return "stop"
    if exactly in START_WORDS:
        return "start"
    return "help" if exactly in HELP_WORDS else None


def may_want_to_stop(body: str) -> bool:
    """Whether a text asks in its own words for no more texts: for a person to decide, since a rule would misread."""
    return bool(_PLEASE_STOP.search(body.replace("’", "'")))
