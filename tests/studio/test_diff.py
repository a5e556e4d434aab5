"""`studio diff`: what a caller would notice, and nothing else."""

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.cli.main import main
from ivr.flow.load import load_directory
from ivr.sandbox.town import ROOT
from ivr.studio.diff import differences
from ivr.studio.export import export
from tests.studio.given import everything, state
from tests.studio.test_check import at, more, put, way

Change = Callable[[dict[str, Any]], Any]


def shuffled(flow: dict[str, Any]) -> None:
    random.Random(5).shuffle(flow["states"])


def moved(flow: dict[str, Any]) -> None:
    for each in flow["states"]:
        each["properties"]["offset"] = {"x": 7, "y": -7}


def unlisted(flow: dict[str, Any]) -> None:
    for each in flow["states"]:
        each["transitions"] = [its for its in each["transitions"] if its.get("next") or its["event"] == "match"]


def renamed(flow: dict[str, Any], old: str = "menu", new: str = "welcome") -> bool:
    text = json.dumps(flow).replace(f'"{old}"', f'"{new}"').replace(f"widgets.{old}.", f"widgets.{new}.")
    flow.clear()
    flow.update(json.loads(text))
    return True


UNNOTICED: list[tuple[str, Change]] = [
    ("nothing", lambda _: None),
    ("another order", shuffled),
    ("other offsets", moved),
    ("events that end are not listed", unlisted),
    ("another name", renamed),
    ("another description", lambda flow: flow.update(description="x")),
    ("a state that nothing leads to", more(state("alone", "say-play", {"audioComplete": ""}, say="x"))),
    ("a condition's friendly name", lambda flow: at(flow, "chosen")["transitions"][1]["conditions"][0].update(friendly_name="x")),
]  # fmt: skip
NOTICED: list[tuple[str, Change, list[str]]] = [
    ("other words", put("sorry", say="Bye."), ['sorry.say: "Bye.", was "Goodbye."']),
    ("a property more", put("sorry", voice="man"), ['sorry.voice: "man", was nothing']),
    ("another way", way("menu", 2, next="sorry"), ["menu: timeout: leads to sorry, was count", "count: is gone, set-variables"]),
    ("an end", lambda flow: at(flow, "text")["transitions"][1].pop("next"), ["text: failed: leads to the end, was dial"]),
    ("another key", lambda flow: at(flow, "chosen")["transitions"][4]["conditions"][0].update(value="6"), ['chosen: match equal_to "4": leads to no case, was lookup', 'chosen: match equal_to "6": leads to lookup, was no case']),
    ("one between", lambda flow: (more(state("wait", "say-play", {"audioComplete": "queue"}, say="Wait."))(flow), way("deflect", 0, next="wait")(flow)), ["deflect: return: leads to wait, was queue", 'wait: is new, say-play, "Wait."']),
    ("renamed and reworded", lambda flow: (renamed(flow, "sorry", "bye"), put("bye", say="Bye.")(flow)), ['bye.say: "Bye.", was "Goodbye."']),
    ("another widget of that name", lambda flow: at(flow, "lookup").update(type="run-function", transitions=[], properties={"url": "x"}), ["lookup: is run-function, was make-http-request"]),
]  # fmt: skip


@pytest.mark.parametrize("change", [case[1] for case in UNNOTICED], ids=[case[0] for case in UNNOTICED])
def test_what_no_caller_notices_is_no_difference(change: Change) -> None:
    old, new = everything(), everything()
    change(new)
    assert differences(old, new) == []
    assert differences(new, old) == []


@pytest.mark.parametrize(("change", "expected"), [case[1:] for case in NOTICED], ids=[case[0] for case in NOTICED])
def test_each_change_is_a_line(change: Change, expected: list[str]) -> None:
    old, new = everything(), everything()
    change(new)
    assert differences(old, new) == expected
    assert differences(new, old) != []


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_two_flows_can_be_compared(data: st.DataObject) -> None:
    one, other = everything(), everything()
    names = [its["name"] for its in one["states"]]
    for flow in (one, other):
        for _ in range(data.draw(st.integers(0, 4))):
            ways = at(flow, data.draw(st.sampled_from(names)))["transitions"]
            data.draw(st.sampled_from(ways)).update(next=data.draw(st.sampled_from(["", *names])))
    assert differences(one, copy.deepcopy(one)) == []
    assert bool(differences(one, other)) == bool(differences(other, one))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flows = load_directory(ROOT / "flows").flows
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    made = export(flows["acme"], "redirect", "https://ivr.example.com").definition
    old.write_text(json.dumps(made), encoding="utf-8")
    new.write_text(json.dumps(made, indent=1, sort_keys=True), encoding="utf-8")
    assert main(["studio", "diff", str(old), str(new)]) == 0
    at(made, "ask_menu")["properties"]["timeout"] = 9
    new.write_text(json.dumps(made), encoding="utf-8")
    assert main(["studio", "diff", str(old), str(new)]) == 1
    assert capsys.readouterr().out == "ask_menu.timeout: 9, was 5\n"
    new.write_text("[]", encoding="utf-8")
    assert main(["studio", "diff", str(old), str(new)]) == 1
    assert "new.json:#: error: array found, object expected" in capsys.readouterr().err
