"""`studio push` and `pull` against a simulated Studio, over real HTTP: its errors, its busy days, edits in the Console."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ivr.cli.main import main
from ivr.clients.failure import SendError
from ivr.clients.studio import InvalidFlow, TwilioStudio
from ivr.clients.twilio import Account, Twilio
from ivr.deployment.studio_flows import Edited, push
from ivr.flow.load import load_directory
from ivr.flow.words import words
from ivr.sandbox.studio import SimulatedStudio
from ivr.studio.definition import read, written
from tests.studio.conftest import ACME, FLOWS, SID, TOKEN
from tests.studio.given import everything
from tests.studio.test_check import at, put
from tests.studio.test_pull_left import counted

NEW = "FW" + "0" * 31 + "1"


pytestmark = pytest.mark.usefixtures("settings")


def pushed(file: Path, *more: str) -> int:
    return main(["studio", "push", str(file), "--message", "Billing by text", *more])


def test_a_new_flow_is_validated_drafted_and_published(
    studio: SimulatedStudio, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pushed(file) == 0
    one = f"/v2/Flows/{NEW}"
    assert studio.asked == ["POST /v2/Flows/Validate", "POST /v2/Flows", f"GET {one}", f"POST {one}"]
    draft, published = studio.flows[NEW]
    assert [each["status"] for each in (draft, published)] == ["draft", "published"]
    assert published["definition"] == ACME
    assert published["commit_message"].startswith("Billing by text [ivr ")
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"{NEW} acme: revision 2, published"
    assert out[1].endswith(f"https://webhooks.twilio.com/v1/Accounts/{SID}/Flows/{NEW}")
    assert pushed(file, "--to", NEW) == 0  # nothing has changed
    assert "is that already, revision 2" in capsys.readouterr().out
    assert len(studio.flows[NEW]) == 2


def test_a_draft_stays_one_until_it_is_published(studio: SimulatedStudio, file: Path) -> None:
    assert pushed(file, "--draft", "--name", "Acme") == 0
    assert [(each["status"], each["friendly_name"]) for each in studio.flows[NEW]] == [("draft", "Acme")]
    assert pushed(file, "--to", NEW) == 0
    assert studio.flows[NEW][-1]["status"] == "published"


def test_what_we_find_ourselves_never_reaches_twilio(
    studio: SimulatedStudio, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = everything()
    put("menu", timeout="5")(bad)
    file.write_text(written(bad), encoding="utf-8")
    assert pushed(file) == 1
    assert "#/states/1/properties/timeout (menu): error: string found" in capsys.readouterr().err
    assert studio.asked == []


def test_what_twilio_finds_is_shown_with_its_path(
    studio: SimulatedStudio, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    studio.strict = lambda _: [("#/states/1/properties/say", "is too rude"), ("#/states/99", "?"), ("#", "no")]
    assert pushed(file) == 1
    told = capsys.readouterr()
    name = ACME["states"][1]["name"]
    assert told.out.splitlines() == [
        f"{file}:#/states/1/properties/say ({name}): error: is too rude; Twilio says so",
        f"{file}:#/states/99: error: ?; Twilio says so",
        f"{file}:#: error: no; Twilio says so",
    ]
    assert studio.asked == ["POST /v2/Flows/Validate"]
    assert studio.flows == {}


def test_the_simulated_studio_refuses_as_twilio_does(url: str) -> None:
    there = TwilioStudio(Twilio(Account(SID, TOKEN, api_url=url), 1), lambda _: None)
    bad = everything()
    at(bad, "sorry")["transitions"][0]["next"] = "nowhere"
    with pytest.raises(InvalidFlow) as refused:
        there.create("x", bad, "x")
    ((path, message),) = refused.value.found
    assert path == "#/states/14/transitions/0/next"
    assert "no state is named" in message


def test_busy_days_are_waited_out(studio: SimulatedStudio, url: str) -> None:
    waited: list[float] = []
    there = TwilioStudio(Twilio(Account(SID, TOKEN, api_url=url), 1), waited.append)
    studio.days.extend(["busy", "busy", "up"])
    kept, wrote = push(there, ACME, "Acme", "", "x", False, False)
    assert (kept.status, kept.revision, wrote, waited) == ("published", 2, True, [2.0, 2.0])
    studio.days.extend(["busy"] * 3)
    studio.retry_after = "500"
    with pytest.raises(SendError, match="busy"):
        there.fetch(NEW)
    assert waited[2:] == [30.0, 30.0]


def test_an_edit_in_the_console_is_not_written_over_unless_told(
    studio: SimulatedStudio, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pushed(file) == 0
    edited = everything()
    studio.edit(NEW, edited)
    assert pushed(file, "--to", NEW) == 1
    assert f"{NEW}: revision 3 at Twilio was not pushed from here; `pull` it" in capsys.readouterr().err
    assert studio.flows[NEW][-1]["definition"] == edited
    assert pushed(file, "--to", NEW, "--over") == 0
    assert (studio.flows[NEW][-1]["definition"], studio.flows[NEW][-1]["status"]) == (ACME, "published")
    # An edit that keeps the message of the push before it is an edit all the same.
    studio.flows[NEW].append({**studio.flows[NEW][-1], "definition": edited, "revision": 6})
    assert pushed(file, "--to", NEW) == 1
    assert "was edited after the last push" in capsys.readouterr().err


# Before which request somebody saves in the Console, what is said, and what is written then.
RACES = [
    ("validate", 1, "somebody saved revision 3 just now; nothing is written", ["draft"]),
    ("look again", 2, "somebody saved revision 3 just now; nothing is written", ["draft"]),
    ("draft", 3, "somebody saved it between revisions 2 and 4; what they did is under revision 3", ["draft", "draft"]),
    ("look at it", 4, "somebody saved revision 4 over the draft, which is revision 3", ["draft", "draft"]),
    ("publish", 5, "somebody saved it between revisions 3 and 5", ["draft", "draft", "published"]),
]


@pytest.mark.parametrize(("at_request", "said", "written"), [case[1:] for case in RACES], ids=[r[0] for r in RACES])
def test_an_edit_between_two_requests_is_told_and_not_pushed_over_the_next_time(
    studio: SimulatedStudio, url: str, at_request: int, said: str, written: list[str]
) -> None:
    there = TwilioStudio(Twilio(Account(SID, TOKEN, api_url=url), 1), lambda _: None)
    push(there, ACME, "Acme", "", "x", False, False)
    changed = {**ACME, "description": "Another"}
    studio.days.extend(["up"] * at_request)  # fetch, validate, fetch, draft, fetch, publish
    studio.days.append("edited")
    studio.edits = NEW
    with pytest.raises(Edited, match=said):
        push(there, changed, "", NEW, "x", False, False)
    kept = list(studio.flows[NEW])
    assert [each["status"] for each in kept[2:]] == written
    for is_draft in (False, True):  # what was refused is refused again
        with pytest.raises(Edited, match="--over"):
            push(there, changed, "", NEW, "x", is_draft, False)
    assert studio.flows[NEW] == kept
    published, wrote = push(there, {**changed, "description": "Told"}, "", NEW, "x", False, True)
    assert (published.status, wrote) == ("published", True)
    assert push(there, changed, "", NEW, "x", False, False)[1]


def test_a_conflict_is_said(studio: SimulatedStudio, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pushed(file) == 0
    file.write_text(written({**ACME, "description": "Another"}), encoding="utf-8")
    studio.days.extend(["up", "up", "up", "conflict"])
    assert pushed(file, "--to", NEW) == 1
    assert "changed by another request at the same time; nothing is published" in capsys.readouterr().err


def test_a_draft_that_could_not_be_published_is_named(
    studio: SimulatedStudio, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    studio.days.extend(["up", "up", "up", "error"])  # validate, draft, fetch, publish
    assert pushed(file) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{NEW}: revision 1 is a draft there. Twilio failed (500)")
    assert f"Push again with --to {NEW}" in told
    assert pushed(file, "--to", NEW) == 0
    assert [each["status"] for each in studio.flows[NEW]] == ["draft", "draft", "published"]


# what Twilio does, what is said
BAD_DAYS = [
    ("refusing", "Twilio refused (401, error 20003)."),
    ("error", "Twilio failed (500); it may have been done all the same: look in the Console"),
]


@pytest.mark.parametrize(("day", "said"), BAD_DAYS)
def test_a_bad_day_is_one_sentence(
    studio: SimulatedStudio, file: Path, day: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    studio.days.append(day)
    assert pushed(file) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.startswith(said), TOKEN in told.err) == ("", True, False)


def test_no_such_flow_no_account_no_sid(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["studio", "pull", NEW]) == 1
    assert capsys.readouterr().err == "Twilio has no such flow in this account.\n"
    for none in ("FW1", "", "FW" + "A" * 32):
        assert pushed(file, "--to", none) == 2
        assert "no flow's SID" in capsys.readouterr().err
    assert main(["studio", "pull", "FW12"]) == main(["studio", "pull", "FW" + "A" * 32]) == 2
    assert capsys.readouterr().err.startswith("FW12 is no flow's SID, which is FW and 32 hex digits in small letters")
    for blank in ("", " \n", "\udcff"):
        assert main(["studio", "push", str(file), "--message", blank]) == 2
        assert "--message" in capsys.readouterr().err
    for name in ("ACCOUNT_SID", "AUTH_TOKEN"):
        monkeypatch.delenv(f"TWILIO_{name}")
    assert pushed(file) == 1
    assert "set TWILIO_ACCOUNT_SID" in capsys.readouterr().err


def test_sids_and_numbers_are_the_account_s_own(
    studio: SimulatedStudio, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = tmp_path / "production.yaml"
    environment.write_text('"+14155550111": "+14155559111"\n+14155550199: +14155559199\n', encoding="utf-8")
    assert pushed(file, "--environment", str(environment)) == 0
    there = written(studio.flows[NEW][-1]["definition"])
    assert ("+14155559111" in there, "+14155559199" in there, "+14155550111" in there) == (True, True, False)
    capsys.readouterr()
    assert main(["studio", "pull", NEW, "--json", "--environment", str(environment)]) == 0
    assert capsys.readouterr().out == written(ACME)  # and back
    environment.write_text('"+14155550000": "+14155559111"\n', encoding="utf-8")
    assert pushed(file, "--to", NEW, "--environment", str(environment)) == 1
    assert "+14155550000 stands nowhere in the flow" in capsys.readouterr().err
    for wrong in ("x", "{a: {b: c}}", "{a: b, c: b}", "[", "{a: ''}"):
        environment.write_text(wrong, encoding="utf-8")
        assert pushed(file, "--to", NEW, "--environment", str(environment)) == 1
        assert "production.yaml: error: " in capsys.readouterr().err


def test_a_number_is_no_part_of_a_longer_one(
    file: Path, studio: SimulatedStudio, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = tmp_path / "production.yaml"
    made: Any = everything()
    at(made, "dial")["properties"]["to"] = "+141555501990"
    put("sorry", say="Call +14155550199.")(made)
    file.write_text(written(made), encoding="utf-8")
    environment.write_text('{"+14155550199": "+14155550100", "menu": "x"}', encoding="utf-8")
    assert pushed(file, "--environment", str(environment)) == 1
    assert "menu stands nowhere" in capsys.readouterr().err  # Liquid goes on to find the widget by its name
    environment.write_text('{"+14155550199": "+14155550100"}', encoding="utf-8")
    assert pushed(file, "--environment", str(environment)) == 0
    there = written(studio.flows[NEW][-1]["definition"])
    assert ("+141555501990" in there, "Call +14155550100." in there) == (True, True)


def test_a_pulled_flow_is_a_brand_s_file(
    studio: SimulatedStudio, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pushed(file) == 0
    capsys.readouterr()
    assert main(["studio", "pull", NEW, "--out", str(tmp_path / "flows"), "--brand", "air"]) == 0
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / 'flows' / 'air.yaml'}\n"
    assert told.err == ""
    text = (tmp_path / "flows" / "air.yaml").read_text(encoding="utf-8")
    assert text.splitlines()[1] == f"# Pulled from acme, {NEW}, revision 2; calls enter menu."
    assert load_directory(tmp_path / "flows").flows["air"].numbers == {"+14155550101": "billing"}
    assert main(["studio", "pull", NEW, "--out", str(tmp_path / "flows"), "--brand", "air"]) == 1
    assert "air.yaml is there already" in capsys.readouterr().err
    assert main(["studio", "pull", NEW, "--out", str(tmp_path / "flows"), "--brand", "air", "--over"]) == 0


def test_nothing_is_written_outside_of_out_nor_over_what_is_there(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / "flows"
    pull = ["studio", "pull", str(file), "--out", str(out)]
    for brand in ("../evil", "menu", "", "Acme", "a" * 33):
        assert main([*pull, "--brand", brand]) == main([*pull, "--json", "--brand", brand]) == 2
        assert "is no brand's id; allowed: a letter, then" in capsys.readouterr().err
    assert not out.exists()
    assert main([*pull, "--json", "--brand", "air"]) == 0
    (out / "air.json").write_text("mine", encoding="utf-8")
    assert main([*pull, "--json", "--brand", "air"]) == 1
    assert "air.json is there already" in capsys.readouterr().err
    export = ["studio", "export", "acme", "--as", "native", "--out", str(out)]
    assert [main(export), main(export), main([*export, "--over"])] == [0, 1, 0]
    assert (out / "air.json").read_text(encoding="utf-8") == "mine"
    (tmp_path / "taken").write_text("", encoding="utf-8")
    for command in (
        [*pull[:-1], str(tmp_path / "taken")],
        [*export[:-1], str(tmp_path / "taken" / "x")],
        [*export, "--svg", str(tmp_path)],
    ):
        capsys.readouterr()
        assert main(command) == 1
        assert f"{tmp_path}" in (told := capsys.readouterr().err)
        assert told.endswith("; check the path\n") and "DATABASE_URL" not in told


def test_a_brand_that_no_server_starts_with_is_shown_and_not_written(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(written(counted()), encoding="utf-8")  # no number texts are sent from
    assert main(["studio", "pull", str(file)]) == 1
    assert capsys.readouterr().out.startswith("# yaml-language-server")
    assert main(["studio", "pull", str(file), "--out", str(tmp_path / "flows")]) == 1
    told = capsys.readouterr()
    assert (told.out, (tmp_path / "flows").exists()) == ("", False)
    assert "acme.yaml is not written: no server starts with it. Leave out --out to see it" in told.err


def test_a_native_flow_comes_back_into_its_brand_s_file(
    studio: SimulatedStudio, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited = read(written(ACME).encode())
    at(edited, "text_bookings")["properties"]["body"] = "Acme Air. Which booking? Reply STOP to opt out."
    file.write_text(written(edited), encoding="utf-8")
    assert pushed(file) == 0
    assert main(["studio", "pull", NEW, "--brand", "acme", "--out", str(tmp_path / "flows")]) == 0
    back, shipped = load_directory(tmp_path / "flows").flows["acme"], FLOWS["acme"]
    assert (back.desk, back.numbers, back.timezone) == (shipped.desk, shipped.numbers, shipped.timezone)
    assert back.branches["billing"].greeting == shipped.branches["billing"].greeting
    bookings = shipped.branches["bookings"]
    greeting = words("Acme Air. Which booking? Reply STOP to opt out.", {})
    assert back.branches["bookings"] == replace(bookings, greeting=greeting)
