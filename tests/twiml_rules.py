"""Is a document TwiML that Twilio takes? Verbs, nesting and attributes by its own library, ranges by its documents."""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent / "recorded" / "twiml_schema.json").read_text())["voice"]

# The schema names attributes as the library's arguments do; these are their XML names, and what is text in XML.
_XML_NAMES = {"say-as": {"interpret-as", "role"}, "lang": {"xml:lang"}}
_IS_TEXT = {("Redirect", "url"), ("Say", "message"), ("Enqueue", "name"), ("Play", "url"), ("Dial", "number"), ("Number", "phoneNumber"), ("Sip", "sipUrl")}  # fmt: skip

_RANGES: dict[tuple[str, str], Callable[[str], bool]] = {
    ("Gather", "timeout"): lambda value: 1 <= int(value) <= 600,
    ("Gather", "numDigits"): lambda value: 1 <= int(value) <= 100,
    ("Gather", "input"): lambda value: value in ("dtmf", "speech", "dtmf speech"),
    ("Gather", "finishOnKey"): lambda value: value == "" or value in "0123456789#*",
    ("Pause", "length"): lambda value: 1 <= int(value) <= 600,
}
_METHODS = ("GET", "POST")
MOST_SPOKEN = {"Polly": 3000, "Google": 5000}
MAX_BYTES = 64 * 1024


def faults(document: bytes) -> list[str]:
    """What Twilio would object to; a document also has to hand the call over, or end it on purpose."""
    if len(document) > MAX_BYTES:
        return ["11750: larger than 64 kB"]
    root = ElementTree.fromstring(document)
    found = _faults_of(root)
    verbs = [verb.tag for verb in root]
    if not verbs or verbs[-1] not in ("Redirect", "Hangup", "Enqueue", "Dial"):
        found.append("dead air: the document ends without handing the call over")
    for verb in root:
        if verb.tag in ("Enqueue", "Dial", "Gather") and not verb.get("action"):
            found.append(f"{verb.tag} without an action")
        if verb.tag == "Enqueue" and not 1 <= len(verb.text or "") <= 64:
            found.append("14205: the queue's name")
    return found


def _faults_of(element: ElementTree.Element) -> list[str]:
    known = _SCHEMA[element.tag]
    found = []
    allowed = set(known["attributes"]) - {name for tag, name in _IS_TEXT if tag == element.tag}
    allowed |= _XML_NAMES.get(element.tag, set())
    for name, value in element.attrib.items():
        if name not in allowed:
            found.append(f"12200: {element.tag} has no attribute {name}")
        if name == "method" and value not in _METHODS:
            found.append(f"{element.tag} method {value}")
        if (rule := _RANGES.get((element.tag, name))) and not rule(value):
            found.append(f"{element.tag} {name}={value} is out of range")
    if element.tag == "Say":
        limit = MOST_SPOKEN.get((element.get("voice") or "").split(".")[0], 4096)
        if not 0 < len("".join(element.itertext())) <= limit:
            found.append("13520 or 13521: nothing, or too much, to say")
    for child in element:
        if child.tag not in known["children"]:
            found.append(f"12200: {child.tag} in {element.tag}")
        else:
            found += _faults_of(child)
    return found
