"""`--environment`: an account's own SIDs and numbers in the place of the file's, told where one is missing or two meet."""

import json
from pathlib import Path
from typing import Any

import pytest

from ivr.cli.main import main
from ivr.sandbox.studio import SimulatedStudio
from ivr.studio.check import check
from ivr.studio.environment import standing, substituted, unmapped
from tests.studio.given import everything, flow, match, split, state
from tests.studio.test_check import at, put
from tests.studio.test_push import NEW, pushed

pytestmark = pytest.mark.usefixtures("settings")
SERVICE, OTHERS = "MG" + "0" * 32, "MG" + "9" * 32
NUMBER, ITS = "+14155550199", "+14155559199"


def small(says: str = "Hello", to: str = NUMBER) -> dict[str, Any]:
    asked = "{{widgets.equal_to.Digits}}"
    return flow(
        state("Trigger", "trigger", {"incomingCall": "equal_to"}),
        state("equal_to", "gather-input-on-call", {"keypress": "chosen", "speech": "", "timeout": ""}, say=says),
        split("chosen", [match("1", "text", asked=asked)], "dial", asked),
        state("text", "send-message", {"sent": "", "failed": "dial"}, **{"from": SERVICE, "body": "Hi"}),
        state("dial", "connect-call-to", {"callCompleted": ""}, noun="number", to=to),
    )


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return tmp_path / "production.yaml"


def test_an_operator_is_no_value() -> None:
    there, unused = substituted(small("equal_to and 1"), {"equal_to": "regex", "1": "2"})
    assert unused == []
    assert at(there, "equal_to")["properties"]["say"] == "regex and 2"
    condition = at(there, "chosen")["transitions"][1]["conditions"][0]
    assert (condition["type"], condition["value"], condition["arguments"]) == (
        "equal_to",
        "2",
        ["{{widgets.equal_to.Digits}}"],
    )
    assert [str(finding) for finding in check(there) if finding.severity == "error"] == []


# A text, and what becomes of it where flow, menu and a number are values.
LIQUID = [
    ("{{flow.variables.x}} of flow", "{{flow.variables.x}} of brook"),
    ('{{ widgets["menu"].Digits }} {{widgets.menu.Digits}}', '{{ widgets["menu"].Digits }} {{widgets.menu.Digits}}'),
    (f"{{% if trigger.call.To == '{NUMBER}' %}}x{{% endif %}}", f"{{% if trigger.call.To == '{ITS}' %}}x{{% endif %}}"),
    (f'{{"menu": {{"to": "{NUMBER}"}}}}', f'{{"card": {{"to": "{ITS}"}}}}'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), LIQUID)
def test_a_name_in_liquid_is_no_value(text: str, expected: str) -> None:
    there, _ = substituted(small(text), {"flow": "brook", "menu": "card", NUMBER: ITS})
    assert at(there, "equal_to")["properties"]["say"] == expected


def test_what_stands_there_already_and_what_is_not_mapped() -> None:
    made = small(f"Call {ITS}.")
    assert standing(made, {NUMBER: ITS}) == [ITS]
    assert standing(made, {NUMBER: ITS, ITS: NUMBER}) == []  # the two change places
    assert [(name, own) for _, name, own in unmapped(made, {NUMBER: ITS})] == [("equal_to", ITS), ("text", SERVICE)]
    assert list(unmapped(made, {NUMBER: ITS, ITS: NUMBER, SERVICE: OTHERS})) == []


def test_the_command_tells_what_is_missing_and_refuses_what_meets(
    studio: SimulatedStudio,
    file: Path,
    environment: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    environment.write_text(json.dumps({NUMBER: ITS}), encoding="utf-8")
    file.write_text(json.dumps(small(f"Call {ITS}.")), encoding="utf-8")
    assert pushed(file, "--environment", str(environment)) == 1
    assert f"production.yaml: error: {ITS} stands in the flow already" in capsys.readouterr().err
    assert studio.asked == []
    file.write_text(json.dumps(small()), encoding="utf-8")
    assert pushed(file, "--environment", str(environment)) == 0
    said = f"{file}:#/states/3/properties/from (text): warning: {SERVICE} is not in {environment}; it stays as it is\n"
    assert capsys.readouterr().err == said
    edited = small(f"Call {NUMBER}.", ITS)
    studio.edit(NEW, edited)
    assert main(["studio", "pull", NEW, "--json", "--environment", str(environment)]) == 1
    told = capsys.readouterr().err
    assert f"production.yaml: warning: {NUMBER} stands in the flow already" in told
    assert f"(text): warning: {SERVICE} is not in" in told
    studio.edit(NEW, small("Hello", "+14155550111"))
    assert main(["studio", "pull", NEW, "--json", "--environment", str(environment)]) == 0
    assert f"production.yaml: warning: {ITS} stands nowhere in the flow" in capsys.readouterr().err


def test_what_is_judged_is_what_is_sent(
    studio: SimulatedStudio,
    file: Path,
    environment: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = everything()
    put("sub", flow_sid="CHILD")(made)  # no SID yet; the environment has it
    file.write_text(json.dumps(made), encoding="utf-8")
    environment.write_text(json.dumps({"CHILD": "FW" + "c" * 32}), encoding="utf-8")
    assert pushed(file, "--environment", str(environment)) == 0
    environment.write_text(json.dumps({"CHILD": "FW1"}), encoding="utf-8")
    asked = len(studio.asked)
    assert pushed(file, "--environment", str(environment)) == 1
    assert "flow.json with" in (told := capsys.readouterr().err.replace("acme.json", "flow.json"))
    assert "production.yaml:#/states/12/properties/flow_sid (sub): error" in told
    assert len(studio.asked) == asked
    for nothing in ("null", "[]", '{"states": 1}'):
        file.write_text(nothing, encoding="utf-8")
        assert pushed(file, "--environment", str(environment)) == 1
        assert ": error: " in capsys.readouterr().err
