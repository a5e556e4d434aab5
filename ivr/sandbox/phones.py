"""What a person may choose before they dial: whose phone it is, and how the world is meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ivr import numbers
from ivr.flow.model import Flow


@dataclass(frozen=True, slots=True)
class Phone:
    """Each kind has a number of its own: what the server learns of one is not believed of another,
    nor of the scripted caller's."""

    label: str
    number: str
    handset: str = "mobile"


PHONES = {
    "mobile": Phone("a mobile", "+14155552670"),
    "withheld": Phone("a mobile, number withheld", "anonymous"),
    "landline": Phone("a landline", "+14155552672", "landline"),
    "landline-late": Phone("a landline nobody knows to be one", "+14155552673", "landline-late"),
    "opted-out": Phone("a mobile that said STOP", "+14155552674", "opted-out"),
    "off": Phone("a mobile that is switched off", "+14155552675", "off"),
    "abroad": Phone("a mobile abroad", "+442079460123", "abroad"),
}
TWILIO = {
    "up": "is well",
    "slow": "answers after 4 seconds",
    "hang": "does not answer",
    "busy,busy,up": "is busy twice",
    "error": "has an error",
    "refusing": "refuses our password",
}
AGENTS = {"free": "are free after 20 seconds", "nobody": "never answer", "full": "have a full queue"}
DESK = {"up": "is well", "slow": "answers after 4 seconds", "busy,busy,up": "is busy twice", "error": "has an error"}


def choices() -> dict[str, list[dict[str, str]]]:
    """The options of each list on the page, the usual one first."""
    listed: dict[str, Mapping[str, str]] = {
        "phone": {name: phone.label for name, phone in PHONES.items()},
        "twilio": TWILIO,
        "agents": AGENTS,
        "desk": DESK,
    }
    return {
        name: [{"value": value, "label": label} for value, label in options.items()] for name, options in listed.items()
    }


def dialled(flow: Flow) -> list[dict[str, str]]:
    """Where one may call this brand: its numbers, and each branch as another IVR would send a caller there."""
    ways = [{"value": number, "label": f"{numbers.full(number)}, {place}"} for number, place in flow.numbers.items()]
    return ways + [{"value": f"branch:{name}", "label": f"straight to {name}"} for name in flow.branches]


def shown(flow: Flow) -> dict[str, Any]:
    return {"id": flow.id, "name": flow.name, "numbers": dialled(flow), "desk": flow.relays_to or ""}
