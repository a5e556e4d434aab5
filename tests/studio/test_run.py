"""`studio run`: a definition is played as Studio would; a native export tells the story that this server tells."""

import argparse
import contextlib
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ivr.cli.main import main
from ivr.cli.studio import add
from ivr.flow.load import load_directory
from ivr.sandbox.town import ROOT
from ivr.studio.check import check
from ivr.studio.definition import written
from ivr.studio.export import export
from ivr.studio.liquid_text import CannotRender, filled
from ivr.studio.operators import CannotMatch, holds
from ivr.studio.run import Agents, Run
from ivr.studio.widgets import OPERATORS
from tests.flow.test_generated import NAMES, brands
from tests.studio.given import REDIRECT, everything, flow, match, split, state
from tests.studio.stories import ByTheServer, by_studio, comparable
from tests.studio.test_export import loaded

FLOWS = load_directory(ROOT / "flows").flows
NOW = datetime(2026, 3, 2, 14, 22, tzinfo=UTC)
AGENTS: tuple[Agents, ...] = ("free", "nobody", "full")
SCRIPTS = ["", "1", "1,1", "1,1,1", "1,1,9,1", "2,1", "9,9", "9,1,9,9", "2,,1", "1,9,1,9,9", "*,#", "1,1,9,9,9"]


@pytest.mark.parametrize("keys", SCRIPTS)
@pytest.mark.parametrize("agents", AGENTS)
@pytest.mark.parametrize("brand", FLOWS)
def test_every_shipped_brand_tells_the_same_story(brand: str, agents: Agents, keys: str) -> None:
    shipped = FLOWS[brand]
    assert shipped.entry
    server = ByTheServer(shipped, keys.split(","), agents).tell(shipped.entry.name)
    studio = by_studio(export(shipped, "native", "").definition, keys.split(","), agents)
    assert comparable(studio) == comparable(server)
    assert len(server) >= 2


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    brands, st.sampled_from(NAMES), st.lists(st.sampled_from(["", "", *"01259*#"]), max_size=8), st.sampled_from(AGENTS)
)
def test_generated_brands_tell_the_same_story(
    tmp_path: Path, brand: dict[str, Any], place: str, keys: list[str], agents: Agents
) -> None:
    for holder in (brand, *brand["branches"].values()):
        holder.pop("other_number", None)  # that key Studio does not have, and says so
    found = loaded(tmp_path, brand)
    assume(found is not None)
    assert found
    made = export(found, "native", "", place)
    server = comparable(ByTheServer(found, keys, agents).tell(place))
    studio = comparable(by_studio(made.definition, keys, agents))
    if studio[-1][1].endswith("Studio stops there"):  # a silent caller in a circle of one menu; `check` warns of it
        studio.pop()
        assert len(studio) >= 10
        server = server[: len(studio)]
    assert studio == server


def played(definition: Any, *keys: str, **said: Any) -> list[str]:
    told: list[str] = []
    Run(definition, NOW, lambda who, what: told.append(f"{who} {what}"), lambda _: None, keys=keys, **said).play()
    return told[1:-1]


def test_a_redirect_brings_what_is_given() -> None:
    exported = export(FLOWS["acme"], "redirect", "https://ivr.example.com", "billing").definition
    given_back = {"enter_billing": {"result": "accepted"}}
    assert played(exported, given=given_back)[-1] == "ivr Thank you. Goodbye."
    for result in ("declined", "silent", "failed", "error", "", "news"):
        assert "call waits in queue billing" in played(exported, given={"enter_billing": {"result": result}})
    assert "call waits in queue billing" in played(exported, events={"enter_billing": "fail"})


def test_words_are_speech_and_other_sides_come_to_what_is_said() -> None:
    heard = played(everything(), "Agent, please.")
    assert heard[:2] == ["ivr For billing, press 1.", "caller says Agent, please."]
    assert heard[2] == f"call runs FW{'0' * 32}: completed"  # where no digit was pressed
    asked = state(
        "ask", "make-http-request", {"success": "told", "failed": "no"}, method="GET", url="https://a.example"
    )
    told = state("told", "say-play", {"audioComplete": ""}, say="You are {{widgets.ask.parsed.tier | upcase}}.")
    no = state("no", "say-play", {"audioComplete": ""}, say="No.")
    small = flow(state("Trigger", "trigger", {"incomingCall": "ask"}), asked, told, no)
    assert played(small, given={"ask": {"parsed": {"tier": "gold"}}})[-1] == "ivr You are GOLD."
    assert played(small, events={"ask": "failed"}) == ["call asks https://a.example: failed", "ivr No."]


def test_a_flow_that_goes_round_is_stopped_as_studio_stops_it() -> None:
    trigger = state("Trigger", "trigger", {"incomingCall": "a"})
    alone = flow(trigger, state("a", "say-play", {"audioComplete": "a"}, say="x"))
    assert played(alone) == ["ivr x"] * 10 + ["call error a came 10 times in a row; Studio stops there"]
    two = [state(a, "say-play", {"audioComplete": b}, say="x") for a, b in ("ab", "ba")]
    assert played(flow(trigger, *two))[-1] == "call error 81000: more than 1,000 steps"


CHILD = "FW" + "c" * 32


def opens(sid: str = CHILD) -> dict[str, Any]:
    """A flow that runs another, and says what that one brought."""
    return flow(
        state("Trigger", "trigger", {"incomingCall": "sub"}),
        state(
            "sub",
            "run-subflow",
            {"completed": "after", "failed": "no"},
            flow_sid=sid,
            flow_revision="LatestPublished",
            parameters=[{"key": "who", "value": "{{contact.channel.address}}"}],
        ),
        state("after", "say-play", {"audioComplete": ""}, say="You are {{widgets.sub.tier}}."),
        state("no", "say-play", {"audioComplete": ""}, say="No."),
    )


def child(*more: dict[str, Any]) -> dict[str, Any]:
    return flow(
        state("Trigger", "trigger", {"incomingCall": "", "incomingParent": "ask"}),
        state("ask", "gather-input-on-call", {"keypress": "keep", "speech": "", "timeout": ""}, say="Hello {{trigger.parent.parameters.who}}."),
        state("keep", "set-variables", {"next": more[0]["name"] if more else ""}, variables=[{"key": "tier", "value": "{{widgets.ask.Digits}}"}]),
        *more,
    )  # fmt: skip


def test_a_subflow_is_opened_and_brings_its_variables() -> None:
    told = played(opens(), "7", subflows={CHILD: child()})
    assert told == [f"call runs {CHILD}", "ivr Hello +14155552671.", "caller presses 7", "ivr You are 7."]
    assert played(opens(), "7") == [f"call runs {CHILD}: completed", "ivr You are ."]  # not at hand
    assert played(opens(), subflows={CHILD: child()}, events={"sub": "failed"})[-1] == "ivr No."


def test_a_subflow_goes_no_deeper_and_shares_the_steps() -> None:
    nested = child({**opens()["states"][1], "name": "sub"})
    assert played(opens(), "7", subflows={CHILD: nested})[-1].startswith("call error sub: a subflow in a subflow")
    ring = [state(a, "say-play", {"audioComplete": b}, say="x") for a, b in ("ab", "ba")]
    assert played(opens(), "7", subflows={CHILD: child(*ring)})[-1] == "call error 81000: more than 1,000 steps"


# A pattern that backtracks for years where nothing bounds it.
ENDLESS = ["(a+)+b", "(a|aa)+b", "(.*)*b", r"((a?){30})+b", "(a|a?)+b"]


@pytest.mark.parametrize("pattern", ENDLESS)
def test_a_regex_that_never_ends_ends(pattern: str) -> None:
    began = time.monotonic()
    told = played(
        flow(
            state("Trigger", "trigger", {"incomingCall": "menu"}),
            state("menu", "gather-input-on-call", {"keypress": "", "speech": "chosen", "timeout": ""}, say="Well?"),
            split("chosen", [match(pattern, "", "regex", "{{widgets.menu.SpeechResult}}")], "", "{{widgets.menu.SpeechResult}}"),
        ),
        "a" * 200,
    )  # fmt: skip
    assert time.monotonic() - began < 2
    assert told[-1].startswith(("caller says a", "call error the regex"))


@settings(max_examples=100, deadline=2000)
@given(st.text("ab()[]{}|*+?\\d.^$0123-,", max_size=20), st.text("ab1", max_size=40))
def test_whatever_regex_is_matched_it_ends(pattern: str, asked: str) -> None:
    with contextlib.suppress(CannotMatch):
        assert holds("regex", asked, pattern, NOW) in (True, False)


FAULTS = [
    ("Liquid that cannot be read", "{{ x", "call error the Liquid cannot be filled in (expected '}}'"),
    ("a filter of nobody's", "{{ 'x' | shout }}", "call error the Liquid cannot be filled in (unknown filter 'shout')"),
    ("sixteen turns", "{% for i in (1..16) %}x{% endfor %}", "call error the Liquid cannot be filled in (loop"),
    ("a number squared again and again", "{% assign x = 9 %}" + "{% assign x = x | times: x %}" * 60, "call error the Liquid cannot be filled in (times: the result is too long)"),
    ("a text that grows", "{{ 'aaaaaaaaaa'" + " | replace: 'a', 'aaaaaaaaaa'" * 20 + " }}", "call error the Liquid cannot be filled in (replace: the result"),
    ("a text twice, again and again", "{% assign x = 'aaaaaaaaaa' %}" + "{% assign x = x | append: x %}" * 60, "call error the Liquid cannot be filled in (append: the result"),
    ("a range as a list", "{{ (1..999999999999) | join: ',' }}", "call error the Liquid cannot be filled in (a range of over 10,000)"),
    ("a range that is looked through", "{% if (1..999999999999) contains 'x' %}x{% endif %}", "call error a range that is looked through"),
    ("a huge text", "{{ x }}" + "x" * 20_000, "call error Liquid over 20,000 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_liquid_that_fails_ends_the_call_with_a_sentence(text: str, said: str) -> None:
    say = state("a", "say-play", {"audioComplete": ""}, say=text)
    assert played(flow(state("Trigger", "trigger", {"incomingCall": "a"}), say))[-1].startswith(said)


# operator, what is asked about, the value, whether it holds
OPERATIONS = [
    ("equal_to", " Yes ", "yes", True), ("equal_to", "1", "01", False), ("not_equal_to", "1", "2", True),
    ("matches_any_of", "b", "a, b", True), ("does_not_match_any_of", "b", "a,b", False), ("is_blank", "  ", "", True),
    ("is_not_blank", "x", "", True), ("regex", "12", r"\d", False), ("regex", "12", r"\d+", True),
    ("regex", "x", "(", False), ("contains", "I say yes.", "YES", True), ("does_not_contain", "no", "yes", True),
    ("starts_with", "+1415", "+1", True), ("does_not_start_with", "+1415", "+1", False), ("less_than", "2", "10", True),
    ("greater_than", "2", "10", False), ("greater_than", "x", "1", False), ("is_before_time", "", "14:23", True),
    ("is_after_time", "", "14:22", False), ("is_before_date", "", "2026-03-03", True), ("is_after_date", "", "x", False),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "asked", "value", "expected"), OPERATIONS)
def test_each_operator(operator: str, asked: str, value: str, expected: bool) -> None:
    assert holds(operator, asked, value, NOW) is expected
    assert {case[0] for case in OPERATIONS} == OPERATORS


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(OPERATORS - {"regex"})), st.text(max_size=20), st.text(max_size=20))
def test_whatever_is_compared_there_is_no_traceback(operator: str, asked: str, value: str) -> None:
    assert holds(operator, asked, value, NOW) in (True, False)


@settings(max_examples=200, deadline=None)
@given(st.text("{}%|'\". abflowrendifts123:-", max_size=40))
def test_whatever_liquid_is_filled_in_there_is_no_traceback(text: str) -> None:
    try:
        assert isinstance(filled("{{" + text + "}}", {"flow": {"a": "1"}}), str)
    except CannotRender as fault:
        assert "\n" not in str(fault)


def alike(value: Any) -> st.SearchStrategy[Any]:
    """Another value of the same JSON type; one of another type is refused before it is played."""
    if isinstance(value, bool):
        return st.booleans()
    if isinstance(value, int):
        return st.integers(0, 5)
    return st.text(max_size=5) | st.just("{{ x }}") if isinstance(value, str) else st.just([])


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_passes_the_check_is_played_without_a_traceback(data: st.DataObject) -> None:
    changed: Any = everything()
    for _ in range(data.draw(st.integers(1, 3))):
        its = data.draw(st.sampled_from(changed["states"]))["properties"]
        key = data.draw(st.sampled_from(sorted(its)))
        its[key] = data.draw(alike(its[key]))
    assume(not [finding for finding in check(changed) if finding.severity == "error"])
    played(changed, *data.draw(st.lists(st.sampled_from(["", "1", "2", "4", "5", "12", "h", "agent"]), max_size=5)))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "flow.json"
    file.write_text(written(export(FLOWS["acme"], "native", "").definition), encoding="utf-8")
    assert main(["studio", "run", str(file), "--press", "1,1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    readme = (ROOT / "README.md").read_text(encoding="utf-8").split("```\n")[1].splitlines()
    assert lines[:6] == [line if not line.endswith("…") else lines[at] for at, line in enumerate(readme[:6])]
    assert lines[7].startswith("00:36  ivr       If nothing has arrived")
    bad = everything()
    del bad["initial_state"]
    file.write_text(json.dumps(bad), encoding="utf-8")
    assert main(["studio", "run", str(file)]) == 1
    told = capsys.readouterr()
    assert (told.out, "#/initial_state: error: is missing" in told.err) == ("", True)
    assert main(["studio", "run", str(tmp_path / "none.json")]) == 1
    for wrong in (["--event", "x"], ["--given", "x=1"], ["--given", ".a=1"], ["--agents", "some"]):
        with pytest.raises(SystemExit) as usage:
            main(["studio", "run", str(file), *wrong])
        assert usage.value.code == 2


def test_the_command_is_given_what_widgets_bring(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    back = split("back", [match("gold", "hi", asked="{{widgets.to.parsed.tier}}")], "", "{{widgets.to.parsed.tier}}")
    to = state(
        "to", "add-twiml-redirect", {"return": "back", "timeout": "back", "fail": "back"}, url=REDIRECT, method="POST"
    )
    made = flow(
        state("Trigger", "trigger", {"incomingCall": "to"}),
        to,
        back,
        state("hi", "say-play", {"audioComplete": ""}, say="Hi."),
    )
    file = tmp_path / "flow.json"
    file.write_text(json.dumps(made), encoding="utf-8")
    assert main(["studio", "run", str(file), "--given", "to.parsed.tier=gold", "--given", "to.x=1"]) == 0
    assert "ivr       Hi." in capsys.readouterr().out
    assert main(["studio", "run", str(file), "--given", "to.parsed.tier=gold", "--event", "to=fail"]) == 0
    assert ": fail" in capsys.readouterr().out


# What is said, and the sentence about it.
MISNAMED = [
    (["--event", "txt=failed"], "--event txt: no widget has that name; did you mean text?"),
    (["--event", "text=lost"], "--event text=lost: send-message comes to sent or failed"),
    (
        ["--event", "menu=timeout"],
        "--event menu: a gather-input-on-call has no other side; --press says what the caller",
    ),
    (["--given", "deflct.result=accepted"], "--given deflct: no widget has that name; did you mean deflect?"),
    (["--given", "zz.a=1"], "--given zz: no widget has that name; name one of the file's states"),
    (["--subflow", f"{CHILD}=FILE"], f"--subflow {CHILD}: no run-subflow opens that"),
]


@pytest.mark.parametrize(("said", "sentence"), MISNAMED)
def test_what_no_flow_has_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: list[str], sentence: str
) -> None:
    file = tmp_path / "flow.json"
    file.write_text(json.dumps(everything()), encoding="utf-8")
    assert main(["studio", "run", str(file), *(each.replace("FILE", str(file)) for each in said)]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.startswith(sentence)) == ("", True), told.err


@pytest.mark.parametrize("caller", ["+1(415) 555-2671", "anonymous", "sip:bob@acme.example", "client:bob"])
def test_who_calls_is_written_as_twilio_writes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caller: str
) -> None:
    file = tmp_path / "flow.json"
    file.write_text(json.dumps(everything()), encoding="utf-8")
    assert main(["studio", "run", str(file), "--press", "2", "--from", caller]) == 0
    assert caller in capsys.readouterr().out
    for wrong in ("nobody at all", "+1", "", "4155552671"):
        with pytest.raises(SystemExit) as usage:
            main(["studio", "run", str(file), "--from", wrong])
        assert usage.value.code == 2


def test_the_command_opens_subflows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, inner = tmp_path / "flow.json", tmp_path / "child.json"
    file.write_text(json.dumps(opens()), encoding="utf-8")
    inner.write_text(json.dumps(child()), encoding="utf-8")
    assert main(["studio", "run", str(file), "--press", "7", "--subflow", f"{CHILD}={inner}"]) == 0
    assert "You are 7." in capsys.readouterr().out
    inner.write_text("{}", encoding="utf-8")
    assert main(["studio", "run", str(file), "--subflow", f"{CHILD}={inner}"]) == 1
    assert "child.json:#/states: error: is missing" in capsys.readouterr().err


def test_every_option_is_in_the_page() -> None:
    page = (ROOT / "docs" / "studio.md").read_text(encoding="utf-8")
    studio = argparse.ArgumentParser()
    add(studio.add_subparsers())
    (actions,) = [action for action in studio._actions if isinstance(action, argparse._SubParsersAction)]
    (nested,) = [action for action in actions.choices["studio"]._actions if isinstance(action.choices, dict)]
    for name, command in nested.choices.items():
        assert f"python -m ivr studio {name}" in page
        for option in [option for action in command._actions for option in action.option_strings]:
            assert option in ("-h", "--help") or f"`{option}" in page or f"{option} " in page, option
