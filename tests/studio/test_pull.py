"""`studio pull`: what was exported plays the same when it is pulled; of other flows, what is left is said."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ivr.cli.main import main
from ivr.flow import source
from ivr.flow.load import load, load_directory
from ivr.flow.model import Flow, ToQueue
from ivr.flow.words import words
from ivr.sandbox.town import ROOT
from ivr.studio.brand_file import written
from ivr.studio.check import check
from ivr.studio.export import Way, export
from ivr.studio.pull import Pulled, pull, redirects_to
from ivr.studio.run import Agents
from tests.flow.test_generated import NAMES, brands
from tests.studio.given import everything, flow, match, split, state
from tests.studio.stories import ByTheServer, comparable
from tests.studio.test_check import at
from tests.studio.test_export import loaded
from tests.studio.test_run import AGENTS, SCRIPTS, alike

FLOWS = load_directory(ROOT / "flows").flows


def read(tmp_path: Path, pulled: Pulled) -> Flow:
    file = tmp_path / "pulled.yaml"
    file.write_text(written(pulled.brand, "Pulled"), encoding="utf-8")
    found = load([file])
    assert [str(finding) for finding in found.errors] == []
    return found.flows["pulled"]


@pytest.mark.parametrize("brand", FLOWS)
def test_every_shipped_brand_plays_the_same_when_it_comes_back(brand: str, tmp_path: Path) -> None:
    shipped = FLOWS[brand]
    assert shipped.entry
    pulled = pull(export(shipped, "native", "").definition, "Nobody")
    assert pulled.left == ()
    back = read(tmp_path, pulled)
    assert (back.name, back.sender.address, back.phrases) == (shipped.name, shipped.sender.address, shipped.phrases)
    for keys in SCRIPTS:
        for agents in AGENTS:
            told = ByTheServer(back, keys.split(","), agents).tell(pulled.enters)
            assert told == ByTheServer(shipped, keys.split(","), agents).tell(shipped.entry.name)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    brands, st.sampled_from(NAMES), st.lists(st.sampled_from(["", "", *"01259*#"]), max_size=8), st.sampled_from(AGENTS)
)
def test_every_generated_brand_plays_the_same_when_it_comes_back(
    tmp_path: Path, brand: dict[str, Any], place: str, keys: list[str], agents: Agents
) -> None:
    for holder in (brand, *brand["branches"].values()):
        holder.pop("other_number", None)  # that key Studio does not have, and says so
    found = loaded(tmp_path, brand)
    assume(found is not None)
    assert found
    pulled = pull(export(found, "native", "", place).definition, "Acme", sender="+14155550111")
    back = read(tmp_path, pulled)
    told = comparable(ByTheServer(back, keys, agents).tell(pulled.enters))
    assert told == comparable(ByTheServer(found, keys, agents).tell(place))


SERVER = "https://ivr.example.com"


def raw(brand: str) -> dict[str, Any]:
    file = ROOT / "flows" / f"{brand}.yaml"
    data = source.read(file.read_bytes(), str(file)).data
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize("brand", FLOWS)
def test_a_redirect_export_of_a_shipped_brand_comes_back_into_its_file(brand: str, tmp_path: Path) -> None:
    shipped = FLOWS[brand]
    definition = export(shipped, "redirect", SERVER).definition
    assert redirects_to(definition) == brand
    pulled = pull(definition, "Nobody", raw(brand))
    assert pulled.left == ()
    back = read(tmp_path, pulled)
    assert replace(back, id=brand) == shipped  # all that the file says, the numbers and the desk too


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    brands, st.sampled_from(NAMES), st.lists(st.sampled_from(["", "", *"01259*#"]), max_size=8), st.sampled_from(AGENTS)
)
def test_a_redirect_export_of_a_generated_brand_comes_back_into_its_file(
    tmp_path: Path, brand: dict[str, Any], place: str, keys: list[str], agents: Agents
) -> None:
    found = loaded(tmp_path, brand)
    assume(found is not None)
    assert found
    definition = export(found, "redirect", SERVER, place).definition
    back = read(tmp_path, pull(definition, "Acme", brand))
    told = comparable(ByTheServer(back, keys, agents).tell(place if back.place(place) else "menu"))
    assert told == comparable(ByTheServer(found, keys, agents).tell(place))


def test_a_change_in_the_flow_is_one_in_the_file(tmp_path: Path) -> None:
    definition = export(FLOWS["acme"], "redirect", SERVER).definition
    at(definition, "ask_menu")["properties"].update(say="Welcome. Press 2 for bookings.", timeout=9)
    at(definition, "otherwise_billing")["properties"]["queue_name"] = "money"
    pulled = pull(definition, "Nobody", raw("acme"))
    back = read(tmp_path, pulled)
    assert back.menus["menu"].say == words("Welcome. Press 2 for bookings.", {})
    assert back.menus["menu"].wait == 9
    assert back.branches["billing"].otherwise == ToQueue("money")
    assert back.branches["billing"].greeting == FLOWS["acme"].branches["billing"].greeting
    assert pulled.left == ()


def test_what_a_template_would_read_is_said_all_the_same(tmp_path: Path) -> None:
    definition = export(FLOWS["acme"], "native", "").definition
    said = "Press {# one #} or {% two. {three} {{contact.channel.address}}"
    at(definition, "ask_menu")["properties"]["say"] = said
    back = read(tmp_path, pull(definition, "Nobody"))
    told = ByTheServer(back, [], "free").tell("menu")
    assert told[0] == ("ivr", said.replace("{{contact.channel.address}}", "+14155552671"))


@pytest.mark.parametrize("kind", ["set-variables", "say-play", "split-based-on"])
def test_a_thousand_states_in_a_ring_are_read_quickly(kind: str) -> None:
    event = {"set-variables": "next", "say-play": "audioComplete", "split-based-on": "noMatch"}[kind]
    its: Any = {"set-variables": {"variables": []}, "say-play": {"say": "x"}}.get(kind, {"input": "x"})
    ring = [state(f"s{n}", kind, {event: f"s{(n + 1) % 999}"}, **its) for n in range(999)]
    began = time.monotonic()
    assert pull(flow(state("Trigger", "trigger", {"incomingCall": "s0"}), *ring), "x").left
    assert time.monotonic() - began < 5


def test_without_its_file_a_redirect_s_words_are_to_be_written(tmp_path: Path) -> None:
    pulled = pull(export(FLOWS["corner-bakery"], "redirect", SERVER).definition, "x", None, "+14155550121")
    back = read(tmp_path, pulled)
    assert [state.state for state in pulled.left] == ["enter_orders"]
    assert "the words of orders are in this server's brand" in pulled.left[0].message
    assert back.branches["orders"].otherwise == FLOWS["corner-bakery"].branches["orders"].otherwise


def typical() -> dict[str, Any]:
    """A flow as people have it: a welcome, a menu that repeats itself, a call, a queue of Flex, a lookup."""
    digits = "{{widgets.menu.Digits}}"
    return flow(
        state("Trigger", "trigger", {"incomingMessage": "answer", "incomingCall": "lookup"}),
        state("answer", "send-message", {"sent": "", "failed": ""}, **{"from": "{{flow.channel.address}}", "body": "Hi"}),
        state("lookup", "make-http-request", {"success": "welcome", "failed": "welcome"}, method="GET", url="https://a.example"),
        state("welcome", "say-play", {"audioComplete": "menu"}, say="Welcome, {{widgets.lookup.parsed.name}}.", voice="Polly.Joanna", language="en-US"),
        state("menu", "gather-input-on-call", {"keypress": "chosen", "speech": "spoken", "timeout": "menu"}, say="For sales, press 1. For help, press 2.", voice="Polly.Matthew", language="en-US", timeout=0, number_of_digits=1),
        split("chosen", [match("1", "sales", asked=digits), match("2", "flex", asked=digits), match("3", "", asked=digits), match("44", "sales", asked=digits)], "sorry", digits),
        split("spoken", [match("sales", "sales", "contains", "{{widgets.menu.SpeechResult}}")], "menu", "{{widgets.menu.SpeechResult}}"),
        state("sorry", "say-play", {"audioComplete": "menu"}, say="Sorry.", voice="Polly.Joanna", language="en-US"),
        state("sales", "connect-call-to", {"callCompleted": "", "hangup": ""}, noun="number", to="+14155550199", caller_id="{{flow.channel.address}}", record=True, timeout=20),
        state("flex", "send-to-flex", {"callComplete": "", "failedToEnqueue": "", "callFailure": ""}, workflow="WW1", channel="TC1"),
    )  # fmt: skip


# A state of the flow, and what is said of it.
LEFT = [
    ("Trigger", "incomingMessage: a brand's file is about calls"),
    ("Trigger", "no number texts are sent from is in the flow; say it with --sender"),
    ("answer", "send-message: has no place in a brand's file, and is left out"),
    ("lookup", "make-http-request: left out; the call goes on as on success"),
    ("welcome", "{{widgets.lookup.parsed.name}}: only Studio knows it; nothing is said there"),
    ("menu", "what is spoken leads to spoken; here keys are pressed"),
    ("menu", "waits 0 seconds; one second here"),
    ("welcome", "speaks as Polly.Joanna, en-US; a brand has one voice and language"),
    ("menu", "the key 3 ends the call; here it is a wrong one"),
    ("chosen", "the case equal_to 44; here a case is one key"),
    ("sorry", "is not said here before menu is asked again"),
    (
        "sales",
        "no text is offered here; read `offer` (Press 1 and we will text you, or stay on the line.) and `greeting`",
    ),
    ("sales", "caller_id: a call that is led on has none here"),
    ("sales", "record: a call that is led on has none here"),
    ("sales", "the call ends without a word; here a sentence is said"),
    ("flex", "send-to-flex cannot stand here; a sentence is said instead"),
    ("spoken", "split-based-on: has no place in a brand's file, and is left out"),
]


def test_of_a_flow_made_elsewhere_all_that_is_left_is_said(tmp_path: Path) -> None:
    assert [str(finding) for finding in check(typical()) if finding.severity == "error"] == []
    told = {(finding.state, finding.message) for finding in pull(typical(), "Acme").left}
    assert [case for case in LEFT if case not in told] == [], told
    back = read(tmp_path, pull(typical(), "Acme", None, "+14155550111"))
    assert ByTheServer(back, ["1", ""], "free").tell("menu") == [
        ("ivr", "Welcome, . For sales, press 1. For help, press 2."),
        ("caller", "presses 1"),
        ("ivr", "Press 1 and we will text you, or stay on the line."),
        ("call", "rings +1(415) 555-0199"),
        ("call", "is answered by a person"),
    ]


def test_all_widgets_are_read_and_told(tmp_path: Path) -> None:
    pulled = pull(everything(), "Acme", None, "+14155550111")
    read(tmp_path, pulled)
    assert {"ask", "function", "sub", "voicemail", "flex"} <= {finding.state for finding in pulled.left}


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_passes_the_check_is_pulled_without_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    changed: Any = data.draw(
        st.sampled_from([everything, typical, lambda: copied("native"), lambda: copied("redirect")])
    )()
    names = [its["name"] for its in changed["states"]]
    for _ in range(data.draw(st.integers(0, 4))):
        its = data.draw(st.sampled_from(changed["states"]))
        if data.draw(st.booleans()) and its["transitions"]:
            data.draw(st.sampled_from(its["transitions"]))["next"] = data.draw(st.sampled_from(["", *names]))
        else:
            key = data.draw(st.sampled_from(sorted(its["properties"])))
            its["properties"][key] = data.draw(alike(its["properties"][key]))
    assume(not [finding for finding in check(changed) if finding.severity == "error"])
    pulled = pull(changed, "Acme", None, "+14155550111")
    assert written(pulled.brand, "x") == written(pull(changed, "Acme", None, "+14155550111").brand, "x")
    for finding in pulled.left:
        assert "\n" not in str(finding)


def copied(way: Way) -> Any:
    return json.loads(json.dumps(export(FLOWS["acme"], way, SERVER).definition))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "acme-air.json"
    file.write_text(json.dumps(typical()), encoding="utf-8")
    monkeypatch.setenv("FLOWS_DIR", str(ROOT / "flows"))
    assert main(["studio", "pull", str(file)]) == 1
    told = capsys.readouterr()
    assert told.out.startswith(
        "# yaml-language-server: $schema=schema.json\n# Pulled from acme-air.json; calls enter menu.\n"
    )
    assert f"{file}:#/states/2 (lookup): warning: make-http-request: left out" in told.err
    assert "acme-air.yaml:3:1: error: sender is missing" in told.err
    assert "lead yours to menu under `numbers`" in told.err
    file.write_text(json.dumps(copied("redirect")), encoding="utf-8")
    assert main(["studio", "pull", str(file)]) == 0  # its words are in the brand's file
    told = capsys.readouterr()
    assert ("Reply STOP" in told.out, told.err) == (True, "")
    assert main(["studio", "pull", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == copied("redirect")
    (tmp_path / "acme.yaml").write_text("name: Acme\nbranches: [x]\n", encoding="utf-8")
    monkeypatch.setenv("FLOWS_DIR", str(tmp_path))
    assert main(["studio", "pull", str(file)]) == 1  # the brand's file has errors
    assert "acme.yaml:2:11: error: " in capsys.readouterr().err
    assert main(["studio", "pull", str(tmp_path / "none.json")]) == 1
    assert "none.json: error: cannot be read" in capsys.readouterr().err
