"""docs/studio.md: its pictures are made from the export, its files pass the check, its call is what the runner plays."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.cli.main import main
from ivr.flow.load import load_directory
from ivr.sandbox.town import ROOT
from ivr.studio.check import check
from ivr.studio.drawing import svg
from ivr.studio.export import export
from ivr.studio.run import Run
from tests.studio.given import flow, state

PAGE = (ROOT / "docs" / "studio.md").read_text(encoding="utf-8")
FLOWS = load_directory(ROOT / "flows").flows
SERVER = "https://YOUR-APP.herokuapp.com"
# A picture, and the states that are in it; all where none are named.
PICTURES = {"studio-flow.svg": (), "studio-added.svg": ("enter_orders", "back_orders", "goodbye")}


@pytest.mark.parametrize("picture", PICTURES)
def test_each_picture_is_made_from_the_export(picture: str) -> None:
    made = svg(export(FLOWS["corner-bakery"], "redirect", SERVER).definition, PICTURES[picture])
    assert (ROOT / "docs" / "pictures" / picture).read_text(encoding="utf-8") == made
    assert f"(pictures/{picture})" in PAGE
    ElementTree.fromstring(made)


def test_the_steps_lead_to_a_deflected_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The three widgets of the page, put into a flow that a person had."""
    added = {its["name"]: its for its in export(FLOWS["corner-bakery"], "redirect", SERVER).definition["states"]}
    mine = json.loads(json.dumps([added[name] for name in PICTURES["studio-added.svg"]]))
    text = json.dumps(mine).replace('"otherwise_orders"', '"people"')
    made = flow(
        state("Trigger", "trigger", {"incomingCall": "enter_orders"}),
        state("people", "enqueue-call", {"callComplete": ""}, queue_name="front"),
        *json.loads(text),
    )
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(made), encoding="utf-8")
    assert main(["studio", "check", str(file), "--strict"]) == 0
    for result, heard in (("accepted", "Thank you. Goodbye."), ("declined", "waits in queue front")):
        assert main(["studio", "run", str(file), "--given", f"enter_orders.result={result}"]) == 0
        assert heard in capsys.readouterr().out


def test_the_ten_minutes_are_ten() -> None:
    steps = PAGE.split("## From your flow")[1].split("\n## ")[0]
    assert sum(map(int, re.findall(r"\((\d) minutes?\)", steps))) == 10


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40), st.integers(-5000, 5000))
def test_whatever_a_flow_says_its_picture_is_xml(said: str, x: int) -> None:
    said = "".join(letter for letter in said if letter.isprintable())
    made = flow(
        state("Trigger", "trigger", {"incomingCall": "a"}), state("a", "say-play", {"audioComplete": "a"}, say=said)
    )
    made["states"][1]["properties"]["offset"]["x"] = x
    assert ElementTree.fromstring(svg(made)).tag == "{http://www.w3.org/2000/svg}svg"


def test_the_export_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWS_DIR", str(ROOT / "flows"))
    assert main(["studio", "export", "acme", "--as", "native", "--svg", str(tmp_path / "acme.svg")]) == 0
    names = {its["name"] for its in json.loads(capsys.readouterr().out)["states"]}
    drawn = (tmp_path / "acme.svg").read_text(encoding="utf-8")
    assert not [name for name in names if f">{name}<" not in drawn]


def test_the_split_to_paste_passes_the_check() -> None:
    (pasted,) = (json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
    ways = {"return": "came_back", "timeout": "TO_A_PERSON", "fail": "TO_A_PERSON"}
    (url,) = re.findall(r"^https://\S+/voice/BRAND/BRANCH\S+$", PAGE, re.MULTILINE)
    made = flow(
        state("Trigger", "trigger", {"incomingCall": "deflect"}),
        state("deflect", "add-twiml-redirect", ways, url=url, method="POST", timeout="14400"),
        pasted,
        state("TO_A_PERSON", "enqueue-call", {"callComplete": ""}, queue_name="front"),
        state("GOODBYE", "say-play", {"audioComplete": ""}, say="Goodbye."),
    )
    assert [str(finding) for finding in check(made) if "offset" not in finding.where] == []


def test_the_call_of_the_page_is_what_the_runner_plays() -> None:
    printed = PAGE.split("studio run acme.json")[1].split("```")[0].splitlines()[1:]
    told: list[str] = []
    Run(
        export(FLOWS["acme"], "redirect", SERVER).definition,
        datetime(2026, 3, 2, tzinfo=UTC),
        lambda who, what: told.append(f"{who:<8}  {what}"),
        lambda _seconds: None,
        keys=["1"],
        given={"enter_billing": {"result": "accepted"}},
    ).play()
    shortened = [line.replace(SERVER, "https://…") for line in told]
    assert [line[7:] for line in printed] == [re.sub(r"(F[WN]0)0{31}", r"\1…", line) for line in shortened]


def test_the_places_that_the_page_names_are_the_export_s() -> None:
    names = {its["name"] for its in export(FLOWS["corner-bakery"], "redirect", SERVER).definition["states"]}
    for name in ("enter_orders", "back_orders", "otherwise_orders", "goodbye"):
        assert name in names
        assert f"`{name}`" in PAGE
