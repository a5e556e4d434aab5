"""A brand with every channel that goes through Twilio, for tests."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from ivr.flow.load import load
from ivr.flow.model import Flow
from ivr.worker import Worker
from tests.doors import Doors, FakeTwilio, opened_doors
from tests.test_worker import at_once

SMS, WHATSAPP, RCS = "+14155550111", "whatsapp:+14155550112", "MG" + "0b" * 16
TEMPLATE = "HX" + "0a" * 16
CONTENT = {"sid": TEMPLATE, "variables": {"1": "Acme Air", "2": "10 minutes"}}
WORDS = "Acme Air here. How can we help? Reply STOP to opt out."
BRAND: Mapping[str, Any] = {
    "name": "Acme Air",
    "numbers": {"+1 415 555 0100": "billing"},
    "sender": {
        "sms": SMS,
        "whatsapp": {
            "number": "+1 415 555 0112",
            "template": TEMPLATE,
            "variables": {"1": "{{ brand }}", "2": "{{ sla }}"},
        },
        "rcs": {"service": RCS},
    },
    "desk": {"liveperson": {}},
    "channels": ["whatsapp", "rcs", "sms"],
    "branches": {
        "billing": {
            "skill": "1234",
            "sla": "10 minutes",
            "offer": "Press 1 and we will text you, or stay on the line.",
            "greeting": "{{ brand }} here. How can we help? Reply STOP to opt out.",
            "otherwise": {"queue": "billing"},
        }
    },
}


def written(directory: Path, **changes: Any) -> Path:
    """The brand's directory; a change to None takes a key away."""
    data = {key: value for key, value in {**BRAND, **changes}.items() if value is not None}
    directory.mkdir(exist_ok=True)
    (directory / "acme.yaml").write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return directory


def flows(directory: Path, **changes: Any) -> Mapping[str, Flow]:
    loaded = load([written(directory, **changes) / "acme.yaml"])
    assert not loaded.errors, loaded.errors
    return loaded.flows


@contextmanager
def brand_doors(url: str, directory: Path, twilio: FakeTwilio | None = None, **changes: Any) -> Iterator[Doors]:
    with opened_doors(url, flows(directory / "flows", **changes), twilio) as doors:
        yield doors


def works(doors: Doors, seconds: float = 0.0) -> None:
    """Time passes, and the worker does what is due."""
    doors.clock.pass_(seconds=seconds)
    Worker(doors.runtime).round(at_once)
