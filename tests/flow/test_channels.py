"""What `check` says of a brand's channels."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ivr.flow.load import load
from tests.channelled import BRAND, RCS, SMS, flows

NO_WHATSAPP = {"sms": SMS, "rcs": {"service": RCS}}
ONE_SERVICE = {"sms": RCS, "rcs": {"service": RCS}}

# what it is, what is changed in the brand, the beginning of what is found (severity and message); "": nothing
FINDINGS: list[tuple[str, dict[str, Any], str]] = [
    ("as it is", {}, ""),
    ("a channel without its sender", {"sender": NO_WHATSAPP}, "error whatsapp: this brand has no sender.whatsapp; write whatsapp: {number:"),
    ("push without its settings", {"channels": ["push", "whatsapp", "rcs"]}, "error push: this brand has no push; write"),
    ("a channel that is none", {"channels": ["whatsap", "rcs", "sms"]}, "error channels: 'whatsap' is no channel; allowed: push, whatsapp, rcs, sms"),
    ("twice the same", {"channels": ["rcs", "whatsapp", "sms", "SMS"]}, "error sms: twice in one list"),
    ("a sender that no channel uses", {"channels": ["rcs", "sms"]}, "warning whatsapp: no channels and no accept name it"),
    ("an app that no channel uses", {"push": {"fcm": {"key_env": "ACME_FCM_KEY"}}}, "warning push: no channels and no accept name it; add it to channels, like [push, sms]"),
    ("a directory that nobody asks", {"consumers": {"sql": "SELECT token FROM users WHERE phone = :number", "url_env": "ACME_URL"}}, "warning consumers: they are asked for a push alone; add push to channels"),
    ("a push after a text", {"push": {"fcm": {"key_env": "ACME_FCM_KEY"}}, "channels": ["sms", "push", "rcs", "whatsapp"]}, ""),
    ("one service for two", {"sender": ONE_SERVICE, "channels": ["rcs", "sms"]}, "error service: sms is sent by it already"),
    ("a template that is none", {"sender": {**BRAND["sender"], "whatsapp": {"number": SMS, "template": "hello"}}}, "error template: 'hello' is not a content template"),
    ("a variable nobody fills", {"sender": {**BRAND["sender"], "whatsapp": {**BRAND["sender"]["whatsapp"], "variables": {"1": "{{ name }}"}}}}, "error 1: name: unknown template variable"),
    ("a key that is not said", {"accept": {"1": "sms", "2": "whatsapp"}}, "warning offer: does not say its key; say that 2 accepts"),
    ("a choice without its sender", {"sender": NO_WHATSAPP, "channels": ["rcs", "sms"], "accept": {"1": "whatsapp"}}, "error whatsapp: this brand has no sender.whatsapp"),
    ("a choice that is none", {"accept": {"1": "fax"}}, "error 1: 'fax' is no channel"),
    ("the key for another number chooses, too", {"accept": {"1": "sms"}, "other_number": "1"}, "error other_number: 1 is the key that accepts"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "found"), [case[1:] for case in FINDINGS], ids=[case[0] for case in FINDINGS])
def test_findings(tmp_path: Path, changes: dict[str, Any], found: str) -> None:
    file = tmp_path / "acme.yaml"
    fallback = {"fallback": {"say": "Please call again."}}
    file.write_text(yaml.safe_dump({**BRAND, **fallback, **changes}, sort_keys=False), encoding="utf-8")
    said = [f"{finding.severity} {finding.message}" for finding in load([file]).findings]
    said = [words for words in said if "no text mentions it" not in words]
    assert [words.startswith(found) for words in said] == [True] * bool(found), said


def test_the_flow(tmp_path: Path) -> None:
    flow = flows(tmp_path, accept={"2": "sms", "1": "whatsapp"})["acme"]
    branch = flow.branches["billing"]
    assert branch.channels == ("whatsapp", "rcs", "sms")
    assert (branch.accept, dict(branch.choices)) == ("2", {"2": "sms", "1": "whatsapp"})
    assert {name: words.text for name, words in branch.variables.items()} == {"1": "Acme Air", "2": "10 minutes"}
    assert flow.sender.addresses == (SMS, "whatsapp:+14155550112", RCS)
