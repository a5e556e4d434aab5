"""docs/studio.md: its picture is made from the export, its files pass the check, its call is what the runner plays."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from ivr.flow.load import load_directory
from ivr.sandbox.town import ROOT
from ivr.studio.check import check
from ivr.studio.export import export
from ivr.studio.run import Run
from tests.studio.given import flow, state

PAGE = (ROOT / "docs" / "studio.md").read_text(encoding="utf-8")
FLOWS = load_directory(ROOT / "flows").flows
SERVER = "https://YOUR-APP.herokuapp.com"


def drawn(definition: Any) -> str:
    """Mermaid: each state by its name and type, each way by its event or by the value that matches."""
    lines = ["flowchart TD"]
    numbers = {its["name"]: f"s{at}" for at, its in enumerate(definition["states"])}
    lines += [f'  {numbers[its["name"]]}["{its["name"]}<br/>{its["type"]}"]' for its in definition["states"]]
    for its in definition["states"]:
        for way in its["transitions"]:
            label = way["conditions"][0]["value"] if way["event"] == "match" else way["event"]
            if way.get("next"):
                lines.append(f'  {numbers[its["name"]]} -->|"{label}"| {numbers[way["next"]]}')
    return "\n".join(lines) + "\n"


def test_the_picture_is_made_from_the_export() -> None:
    (picture,) = re.findall(r"^```mermaid\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert picture == drawn(export(FLOWS["corner-bakery"], "redirect", SERVER).definition)


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
