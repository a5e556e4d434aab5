"""A TwiML document as Twilio's interpreter sees it: verbs it knows, in order, or the error it reports."""

import xml.etree.ElementTree as ElementTree
from urllib.parse import parse_qs, urlsplit

from ivr import numbers
from ivr.sandbox.webhooks import Answer

VOICE = frozenset(
    {"Say", "Play", "Pause", "Gather", "Redirect", "Enqueue", "Dial", "Hangup", "Reject", "Leave"},
)
IN_A_QUEUE = frozenset({"Say", "Play", "Pause", "Gather", "Redirect", "Hangup", "Leave"})
MAX_BYTES = 64 * 1024
# Words a second of a synthetic voice, near enough for a timeline.
WORDS_A_SECOND = 2.5
SECONDS_OF_A_RECORDING = 5.0

Verb = ElementTree.Element


class BadDocument(Exception):
    """Twilio's error code and what it means; the caller hears "an application error has occurred"."""


def verbs(answer: Answer, allowed: frozenset[str] = VOICE) -> list[Verb]:
    """The verbs of an answer. Raises BadDocument with Twilio's code."""
    if not 200 <= answer.status < 300:
        raise BadDocument(f"11200: HTTP {answer.status} from {urlsplit(answer.url).path}")
    if len(answer.body) > MAX_BYTES:
        raise BadDocument("11750: the document is larger than 64 kB")
    try:
        root = ElementTree.fromstring(answer.body)
    except ElementTree.ParseError as error:
        raise BadDocument(f"12100: no XML ({error})") from None
    if root.tag != "Response":
        raise BadDocument("12100: the document is no Response")
    unknown = [verb.tag for verb in root if verb.tag not in allowed]
    if unknown:
        raise BadDocument(f"12200: {unknown[0]} may not stand here")
    return list(root)


def spoken(verb: Verb) -> str:
    """What is heard of a Say, a Play, or of the prompts in a Gather."""
    if verb.tag == "Say":
        return "".join(verb.itertext()).strip()
    if verb.tag == "Play":
        return f"(plays {(verb.text or '').strip()})"
    return " ".join(filter(None, (spoken(child) for child in verb)))


def seconds(verb: Verb) -> float:
    """How long it takes until a Say, Play, Pause, or the prompts of a Gather are over."""
    if verb.tag == "Say":
        return len(spoken(verb).split()) / WORDS_A_SECOND
    if verb.tag == "Play":
        return SECONDS_OF_A_RECORDING
    if verb.tag == "Pause":
        return float(verb.get("length", "1"))
    return sum(seconds(child) for child in verb)


def collected(gather: Verb, keys: str) -> tuple[str, bool]:
    """The digits that a Gather takes of the keys pressed, and whether it ended at once (else at its time-out)."""
    finish = gather.get("finishOnKey", "#")
    most = int(gather.get("numDigits", "0"))
    digits = ""
    for key in keys:
        if key in finish:
            return digits, True
        digits += key
        if most and len(digits) == most:
            return digits, True
    return digits, False


def callee(dial: Verb) -> str:
    """Whom a Dial calls, in words."""
    return numbers.full("".join(dial.itertext()).strip())


def studio_result(url: str) -> str | None:
    """What a return to Studio brings back, or None when the URL is no such return."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    if parts.hostname != "webhooks.twilio.com" or query.get("FlowEvent") != ["return"]:
        return None
    return ", ".join(f"{name}={values[0]}" for name, values in query.items() if name != "FlowEvent")
