"""What agents read that nobody wrote: where a conversation comes from, what the consumer did meanwhile. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from ivr.flow.model import Branch

OPTED_OUT = "[The consumer opted out of texts (STOP): answers do not reach them any more.]"
OPTED_IN = "[The consumer wants texts again (START).]"
MAY_WANT_TO_STOP = "[This may be a wish to get no more texts. It is not acted on; a text that says STOP is.]"
LONGEST_TEXT = 1600  # characters that Twilio takes (error 21617)


def context_line(branch: Branch, called_at: datetime, promised: datetime | None, timezone: str) -> str:
    """Where the first text of a conversation comes from, and by when the consumer was promised an answer."""
    said = ["IVR deflection", branch.name, f"called {_clock(called_at, timezone)}"]
    if promised:
        same_day = _day(promised, timezone) == _day(called_at, timezone)
        said.append(f"reply promised by {_clock(promised, timezone, zone=False, day=not same_day)}")
    return f"[{', '.join(said)}]"


def at_risk(promised: datetime, timezone: str) -> str:
    return f"[Nobody has answered yet, and an answer was promised by {_clock(promised, timezone)}.]"


def late(promised: datetime, timezone: str, told: bool) -> str:
    """`told`: the consumer has been."""
    so = "; the consumer was told that it takes longer" if told else ""
    return f"[An answer was promised by {_clock(promised, timezone)}, and nobody has answered{so}.]"


def known_elsewhere(attributes: Mapping[str, str]) -> str:
    """What another IVR knows of its caller; "" when that is nothing."""
    return f"[{'; '.join(f'{name}: {value}' for name, value in attributes.items())}]" if attributes else ""


def called_again(branch: str, at: datetime, timezone: str) -> str:
    return f"[The consumer called again, branch {branch}, {_clock(at, timezone)}]"


def not_delivered(code: int | None) -> str:
    """An answer of the agent's is known to have failed."""
    return f"[The last answer did not reach the consumer{f' (Twilio error {code})' if code else ''}.]"


def published(body: str, context_line: str, files: Iterable[tuple[str, str]]) -> str:
    """What a desk gets of a consumer's text; with neither line nor files it is the text byte for byte.

    `files`: each one's type and URL.
    """
    lines = [line for line in (context_line, body) if line]
    lines += [f"[{kind or 'file'}: {url}]" for kind, url in files]
    return "\n".join(lines) if lines else "[an empty text]"


def parts(text: str) -> list[str]:
    """An agent's text in pieces that a text can carry, cut at white space where there is some."""
    found, rest = [], text
    while len(rest) > LONGEST_TEXT:
        cut = max(rest.rfind(blank, 0, LONGEST_TEXT) for blank in (" ", "\n"))
        cut = cut if cut > LONGEST_TEXT // 2 else LONGEST_TEXT
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*found, rest] if rest else found


def _clock(moment: datetime, timezone: str, zone: bool = True, day: bool = False) -> str:
    local = moment.astimezone(ZoneInfo(timezone))
    said = f"{local:%H:%M} {local:%Z}" if zone else f"{local:%H:%M}"
    return f"{said} on {local:%Y-%m-%d}" if day else said


def _day(moment: datetime, timezone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(timezone)):%Y-%m-%d}"
