"""`studio export`: every brand becomes a flow that passes our own check, and the same flow is the same text."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ivr.cli.main import main
from ivr.flow.load import load, load_directory
from ivr.flow.model import Flow
from ivr.flow.words import words
from ivr.sandbox.town import ROOT
from ivr.studio.carried import Losses
from ivr.studio.check import check
from ivr.studio.definition import written
from ivr.studio.export import WAYS, CannotExport, Export, Way, export
from ivr.studio.order import ordered
from ivr.studio.sayings import text
from tests.flow.test_generated import NAMES, brands

FLOWS = load_directory(ROOT / "flows").flows
SERVER = "https://ivr.example.com"


def loaded(tmp_path: Path, brand: dict[str, Any]) -> Flow | None:
    file = tmp_path / "acme.yaml"
    file.write_text(json.dumps(brand, ensure_ascii=False), encoding="utf-8")
    found = load([file])
    return None if found.errors else found.flows["acme"]


def states(made: Export) -> dict[str, dict[str, Any]]:
    return {state["name"]: state for state in made.definition["states"]}


def ways(made: Export, name: str) -> dict[str, str]:
    """Event, or for a match its value, to the next state."""
    found = {}
    for way in states(made)[name]["transitions"]:
        key = way["conditions"][0]["value"] if way["event"] == "match" else way["event"]
        found[key] = way.get("next", "")
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("brand", FLOWS)
def test_every_shipped_brand_passes_the_check_without_a_warning(brand: str, way: Way) -> None:
    made = export(FLOWS[brand], way, SERVER)
    assert check(made.definition) == []
    assert written(made.definition) == written(export(FLOWS[brand], way, SERVER).definition)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(brands, st.sampled_from(WAYS), st.sampled_from(["", *NAMES]))
def test_every_generated_brand_passes_the_check_without_a_warning(
    tmp_path: Path, brand: dict[str, Any], way: Way, only: str
) -> None:
    """500 native ones more are judged where they are played, in test_over_http."""
    flow = loaded(tmp_path, brand)
    assume(flow is not None)
    assert flow
    made = export(flow, way, SERVER, only)
    assert [str(finding) for finding in check(made.definition)] == []
    places = [tuple(state["properties"]["offset"].values()) for state in made.definition["states"]]
    assert len(set(places)) == len(places)


def test_one_widget_a_branch_leads_here_and_comes_back() -> None:
    made = export(FLOWS["acme"], "redirect", SERVER)
    assert ways(made, "Trigger")["incomingCall"] == ways(made, "Trigger")["incomingParent"] == "dialled"
    assert ways(made, "dialled") == {"noMatch": "enter_menu", "+14155550101": "enter_billing"}
    assert ways(made, "chosen_menu") == {"noMatch": "wrong_menu", "1": "enter_billing", "2": "enter_bookings"}
    widget = states(made)["enter_billing"]
    assert widget["type"] == "add-twiml-redirect"
    assert (
        widget["properties"]["url"] == f"{SERVER}/voice/acme/billing?flow={{{{flow.flow_sid}}}}&exec={{{{flow.sid}}}}"
    )
    assert ways(made, "enter_billing") == {
        "return": "back_billing",
        "timeout": "otherwise_billing",
        "fail": "otherwise_billing",
    }
    assert ways(made, "back_billing") == {"noMatch": "otherwise_billing", "accepted": "goodbye"}
    assert states(made)["otherwise_billing"]["properties"]["queue_name"] == "billing"
    assert ways(made, "otherwise_billing")["failedToEnqueue"] == "fallback_billing"


def test_the_menu_is_asked_as_often_as_here() -> None:
    made = export(FLOWS["acme"], "redirect", SERVER)
    assert states(made)["enter_menu"]["properties"]["variables"] == [{"key": "tries_menu", "value": "1"}]
    assert ways(made, "wrong_menu") == {"noMatch": "sorry_menu", "2": "otherwise_menu"}
    assert ways(made, "silent_menu") == {"noMatch": "again_menu", "2": "otherwise_menu"}
    assert (
        states(made)["again_menu"]["properties"]["variables"][0]["value"] == "{{flow.variables.tries_menu | plus: 1}}"
    )
    gather = states(made)["ask_menu"]["properties"]
    assert (gather["timeout"], gather["number_of_digits"], gather["finish_on_key"]) == (5, 1, "")


def test_a_branch_alone() -> None:
    made = export(FLOWS["acme"], "redirect", SERVER, "bookings")
    assert ways(made, "Trigger")["incomingCall"] == "enter_bookings"
    assert not any("menu" in name for name in states(made))
    dial = states(made)["otherwise_bookings"]["properties"]
    assert (dial["noun"], dial["to"], dial["caller_id"]) == ("number", "+14155550199", "{{contact.channel.address}}")
    assert ways(made, "ended_otherwise_bookings") == {"noMatch": "fallback_bookings", "completed,answered": ""}


def test_what_cannot_be_exported_is_said() -> None:
    with pytest.raises(CannotExport, match="support: no such branch or menu; there are: menu, billing, bookings"):
        export(FLOWS["acme"], "redirect", SERVER, "support")


def test_a_brand_of_500_branches_is_no_flow_but_each_of_them_is(tmp_path: Path) -> None:
    names = [f"b{number}" for number in range(500)]
    numbers = {f"+1415556{number:04d}": name for number, name in enumerate(names)}
    branch = SMALL["branches"]["a-b"] | {"otherwise": {"queue": "q"}}
    flow = loaded(tmp_path, {**SMALL, "numbers": numbers, "branches": dict.fromkeys(names, branch)})
    assert flow
    for way in WAYS:
        with pytest.raises(CannotExport, match=r"acme would be \d,\d{3} widgets; a flow has 1,000 at most"):
            export(flow, way, SERVER)
        assert check(export(flow, way, SERVER, "b499").definition) == []


SMALL: dict[str, Any] = {
    "name": "Acme",
    "sender": {"sms": "+14155550111"},
    "branches": {"a-b": {"offer": "Press 1.", "greeting": "STOP", "otherwise": {"studio": "return"}}},
}

LOSSES = [
    ("a return to Studio", {}, "a-b", [(("branches", "a-b", "otherwise"), "studio: return: here is no flow")]),
    ("braces", {"otherwise": {"say": "{{ '{{' }} x }}"}}, "a-b", [(("branches", "a-b", "otherwise", "say"), "the text has {{")]),
    ("more than names", {"otherwise": {"say": "{{ caller|upper }}."}}, "a-b", [(("branches", "a-b", "otherwise", "say"), "a template with more")]),
    ("closed", {"otherwise": {"queue": "a"}, "hours": "24/7", "closed": {"otherwise": {"queue": "b"}}}, "a-b", [(("branches", "a-b", "closed", "otherwise"), "out of hours too")]),
    ("the caller's number", {"otherwise": {"say": "{{ caller }}."}}, "a-b", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "only", "expected"), [case[1:] for case in LOSSES], ids=[case[0] for case in LOSSES]
)
def test_what_studio_cannot_do_is_told(
    tmp_path: Path, change: dict[str, Any], only: str, expected: list[tuple[Any, str]]
) -> None:
    flow = loaded(tmp_path, {**SMALL, "branches": {"a-b": {**SMALL["branches"]["a-b"], **change}}})
    assert flow
    made = export(flow, "redirect", SERVER, only)
    assert [path for path, _ in made.losses] == [path for path, _ in expected]
    assert all(said.startswith(start) for (_, said), (_, start) in zip(made.losses, expected, strict=True))
    assert check(made.definition) == []
    if not expected:
        assert states(made)["otherwise_a_b"]["properties"]["say"] == "{{contact.channel.address}}."


def test_what_only_this_server_knows_is_told() -> None:
    losses = Losses()
    assert text(words("We open {{ opens }}, {{ caller }}.", {}), losses, ("x",)) == (
        "We open , {{contact.channel.address}}."
    )
    assert list(losses) == [(("x",), "{{ opens }}: only this server knows it; nothing is said there")]
    known = Losses()
    assert text(words("{{ opens }} {{ caller }}", {"opens": "at 8"}), known, ("x",)).startswith("at 8")
    assert list(known) == []


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FLOWS_DIR", str(tmp_path))
    brand = {**SMALL, "menu": {"say": "Press 1.", "press": {"1": "x"}, "otherwise": {"say": "{{ caller|upper }}"}}}
    brand["branches"] = {"x": {"offer": "Press 1.", "greeting": "STOP", "otherwise": {"queue": "q"}}}
    assert loaded(tmp_path, brand)
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    assert main(["studio", "export", "acme"]) == 1
    assert "PUBLIC_URL is not set" in capsys.readouterr().err
    monkeypatch.setenv("PUBLIC_URL", SERVER)
    assert main(["studio", "export", "acme"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["initial_state"] == "Trigger"
    assert (
        told.err.startswith(f"{tmp_path}/acme.yaml:1:")
        and ": warning: say: a template with more than names" in told.err
    )
    assert main(["studio", "export", "acme", "x", "--out", str(tmp_path / "out"), "--strict"]) == 0
    file = tmp_path / "out" / "acme-x.json"
    assert capsys.readouterr().out == f"{file}\n"
    assert main(["studio", "check", "--strict", str(file)]) == 0
    assert main(["studio", "export", "acme", "--strict"]) == 1
    assert main(["studio", "export", "nobody"]) == 1
    assert "nobody: no such brand" in capsys.readouterr().err


def test_a_native_branch_offers_texts_and_asks() -> None:
    made = export(FLOWS["acme"], "native", "")
    assert not any(state["type"] == "add-twiml-redirect" for state in made.definition["states"])
    assert ways(made, "ask_billing") == dict(
        keypress="chosen_billing", speech="otherwise_billing", timeout="otherwise_billing"
    )
    assert ways(made, "chosen_billing") == {"noMatch": "wrong_billing", "1": "text_billing"}
    assert ways(made, "wrong_billing") == {"noMatch": "sorry_billing", "2": "otherwise_billing"}
    assert ways(made, "text_billing") == {"sent": "told_billing", "failed": "untold_billing"}
    text = states(made)["text_billing"]["properties"]
    assert (text["from"], text["to"]) == ("+14155550111", "{{contact.channel.address}}")
    assert text["body"].startswith("Thank you for choosing to connect with Acme Air by text.")
    assert (
        "ending in {{contact.channel.address | slice: -4, 4}}. You" in states(made)["told_billing"]["properties"]["say"]
    )
    assert states(made)["pause_billing"]["properties"]["digits"] == "w" * 20
    assert ways(made, "late_chosen_billing") == {"noMatch": "late_wrong_billing", "1": "otherwise_billing"}
    assert ways(made, "late_ask_billing")["timeout"] == "goodbye"
    assert ways(made, "untold_billing") == {"audioComplete": "otherwise_billing"}


CHANNELS = {"sms": "+14155550111", "whatsapp": {"number": "+14155550112", "template": "HX" + "0a" * 16}}
NATIVE: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("always", {}, {}, []),
    ("a choice", {"accept": {"1": "sms", "2": "whatsapp"}}, {"sender": CHANNELS}, ["branches.a-b.accept: the key 1 sends a text; wrong ones here: 2 (whatsapp)"]),
    ("channels", {"channels": ["whatsapp", "sms"]}, {"sender": CHANNELS}, ["branches.a-b.channels: Studio sends a text alone"]),
    ("another number", {"other_number": "2"}, {}, ["branches.a-b.other_number: the key 2 is a wrong one here"]),
    ("hours", {"hours": "24/7"}, {}, ["branches.a-b.hours: Studio is told no opening hours"]),
    ("a skill without a desk", {"skill": "7"}, {}, []),
    ("a skill", {"skill": "7"}, {"desk": {"liveperson": {}}}, ["branches.a-b.skill: no desk is told", "desk: what consumers write"]),
    ("a messaging service", {}, {"sender": {"sms": "MG" + "0" * 32}}, ["sender.sms: a messaging service"]),
    ("a long wait", {"wait": "1 minute"}, {}, ["branches.a-b.wait: a gather of Studio's waits 30 seconds at most"]),
]  # fmt: skip


@pytest.mark.parametrize(("of_branch", "of_brand", "expected"), [c[1:] for c in NATIVE], ids=[c[0] for c in NATIVE])
def test_what_a_native_branch_loses_is_told(
    tmp_path: Path, of_branch: dict[str, Any], of_brand: dict[str, Any], expected: list[str]
) -> None:
    branch = {**SMALL["branches"]["a-b"], "otherwise": {"queue": "q"}, **of_branch}
    flow = loaded(tmp_path, {**SMALL, "branches": {"a-b": branch}, **of_brand})
    assert flow
    told = [f"{'.'.join(map(str, path))}: {message}" for path, message in export(flow, "native", "").losses]
    always = ["branches.a-b.regions: Studio texts whoever calls", "branches.a-b.confirm: Studio learns"]
    assert len(told) == len(always + expected)
    assert all(any(line.startswith(start) for line in told) for start in always + expected), told


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("brand", FLOWS)
def test_an_export_is_written_in_the_order_that_every_flow_is(brand: str, way: Way) -> None:
    made = export(FLOWS[brand], way, SERVER).definition
    turned = json.loads(json.dumps(made, sort_keys=True))
    assert written(ordered(turned)) == written(ordered(made)) == written(made)
