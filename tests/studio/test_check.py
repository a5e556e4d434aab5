"""`studio check`: each planted fault is found at its path, and what real exports hold passes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.cli.main import main
from ivr.studio.check import MOST_FOUND, check
from ivr.studio.definition import Unreadable, read, written
from ivr.studio.widgets import UNDESCRIBED, WIDGETS
from tests.studio.given import everything, flow, match, state

Change = Callable[[dict[str, Any]], Any]


def at(flow: dict[str, Any], name: str) -> Any:
    return next(its for its in flow["states"] if its["name"] == name)


def put(name: str, **values: Any) -> Change:
    return lambda flow: at(flow, name)["properties"].update(values)


def drop(name: str, *keys: str) -> Change:
    return lambda flow: [at(flow, name)["properties"].pop(key) for key in keys]


def way(name: str, index: int, **values: Any) -> Change:
    return lambda flow: at(flow, name)["transitions"][index].update(values)


def condition(**values: Any) -> Change:
    return lambda flow: at(flow, "chosen")["transitions"][1]["conditions"][0].update(values)


def whole(**values: Any) -> Change:
    return lambda flow: flow.update(values)


def frame(name: str, /, **values: Any) -> Change:
    return lambda flow: at(flow, name).update(values)


def without(name: str, key: str) -> Change:
    return lambda flow: at(flow, name).pop(key)


def more(*states: Any) -> Change:
    return lambda flow: flow["states"].extend(states)


# A label, the fault, and the whole of what is found: path (state), severity, the beginning of the message.
ERRORS: list[tuple[str, Change, list[str]]] = [
    ("no states", lambda flow: flow.pop("states"), ["#/states: error: is missing but it is required"]),
    ("states is no list", whole(states={}), ["#/states: error: object found, array expected"]),
    ("an empty list of states", whole(states=[]), ["#/states: error: 0 states; allowed: 1 to 1,000"]),
    ("no initial state", lambda flow: flow.pop("initial_state"), ["#/initial_state: error: is missing"]),
    ("an initial state that is not there", whole(initial_state="Triger"), ["#/initial_state: error: no state is named \"Triger\"; did you mean Trigger?"]),
    ("an empty initial state", whole(initial_state=""), ["#/initial_state: error: no state is named \"\""]),
    ("an initial state that is a number", whole(initial_state=1), ["#/initial_state: error: integer found, string expected; write \"1\""]),
    ("flags of text", whole(flags="x"), ["#/flags: error: string found, object expected"]),
    ("no flag in flags", whole(flags={}), ["#/flags/allow_concurrent_calls: error: is missing"]),
    ("a flag of text", whole(flags={"allow_concurrent_calls": "true"}), ["#/flags/allow_concurrent_calls: error: string found, boolean expected; write it without quotes"]),
    ("a flag of nobody's", whole(flags={"allow_concurrent_calls": True, "debug": True}), ["#/flags/debug: error: debug: unknown flag"]),
    ("a key of nobody's", whole(version="1"), ["#/version: error: version: unknown key; allowed"]),
    ("a misspelt key, once", lambda flow: flow.update(initial_stat=flow.pop("initial_state")), ["#/initial_stat: error: initial_stat: unknown key; did you mean initial_state?"]),
    ("another schema", whole(**{"$schema": "https://x.example"}), ["#/$schema: error: \"https://x.example\" is not allowed"]),
    ("a description of null", whole(description=None), ["#/description: error: must not be null"]),
    ("a state that is text", more("x"), ["#/states/15: error: string found, object expected"]),
    ("a state of null", more(None), ["#/states/15: error: must not be null"]),
    ("no name", without("sorry", "name"), ["#/states/3/transitions/0/next (chosen): error: no state is named \"sorry\"", "#/states/14/name: error: is missing"]),
    ("no type", without("sorry", "type"), ["#/states/14/type (sorry): error: is missing"]),
    ("no transitions", without("sorry", "transitions"), ["#/states/14/transitions (sorry): error: is missing"]),
    ("no properties", without("sorry", "properties"), ["#/states/14/properties (sorry): error: is missing"]),
    ("a name twice", more(state("sorry", "say-play", {"audioComplete": ""}, say="x")), ["#/states/15/name (sorry): error: the name of #/states/14 too; names must be unique"]),
    ("a key of nobody's in a state", frame("sorry", id="1"), ["#/states/14/id (sorry): error: id: unknown key"]),
    ("a type in capitals", frame("sorry", type="Say-Play"), ["#/states/14/type (sorry): error: Say-Play: unknown widget type; did you mean say-play?"]),
    ("http-request", frame("lookup", type="http-request"), ["#/states/9/type (lookup): error: http-request: unknown widget type; Studio's name for it is make-http-request"]),
    ("hangup", frame("sorry", type="hangup"), ["#/states/14/type (sorry): error: hangup: Studio has no such widget; to hang up, leave out `next`"]),
    ("hang-up", frame("sorry", type="hang-up"), ["#/states/14/type (sorry): error: hang-up: Studio has no such widget"]),
    ("webhook", frame("lookup", type="webhook"), ["#/states/9/type (lookup): error: webhook: unknown widget type; Studio's"]),
    ("two triggers", more(state("again", "trigger", {"incomingCall": "menu"})), ["#/states: error: 2 triggers; exactly one is allowed", "#/states/15 (again): warning: nothing leads here"]),
    ("no trigger", frame("Trigger", type="set-variables", transitions=[{"event": "next", "next": "menu"}]), ["#/states: error: 0 triggers; exactly one is allowed"]),
    ("an event of another widget", way("sorry", 0, event="queued"), ["#/states/14/transitions/0/event (sorry): error: \"queued\" is none; must be a constant value audioComplete"]),
    ("recordingError", way("voicemail", 1, event="recordingError"), ["#/states/13/transitions/1/event (voicemail): error: \"recordingError\" is none"]),
    ("fail where failed is meant", way("lookup", 1, event="fail"), ["#/states/9/transitions/1/event (lookup): error: \"fail\" is none; must be a constant value success or failed"]),
    ("failed where fail is meant", way("function", 1, event="failed"), ["#/states/10/transitions/1/event (function): error: \"failed\" is none; must be a constant value success or fail"]),
    ("an event twice", way("text", 1, event="sent"), ["#/states/7/transitions/1/event (text): error: sent is listed twice"]),
    ("no event", lambda flow: at(flow, "sorry")["transitions"][0].pop("event"), ["#/states/14/transitions/0/event (sorry): error: is missing"]),
    ("a transition that is text", frame("sorry", transitions=["x"]), ["#/states/14/transitions/0 (sorry): error: string found, object expected"]),
    ("transitions that are an object", frame("sorry", transitions={}), ["#/states/14/transitions (sorry): error: object found, array expected"]),
    ("a next that dangles", way("sorry", 0, next="quene"), ["#/states/14/transitions/0/next (sorry): error: no state is named \"quene\"; did you mean queue?"]),
    ("a next of null", way("sorry", 0, next=None), ["#/states/14/transitions/0/next (sorry): error: must not be null"]),
    ("a key of nobody's in a transition", way("sorry", 0, target="x"), ["#/states/14/transitions/0/target (sorry): error: target: unknown key"]),
    ("conditions where none can stand", way("sorry", 0, conditions=[{}]), ["#/states/14/transitions/0/conditions (sorry): error: conditions stand in the `match`"]),
    ("a match without conditions", lambda flow: at(flow, "chosen")["transitions"][1].pop("conditions"), ["#/states/3/transitions/1/conditions (chosen): error: is missing"]),
    ("a match with an empty list", way("chosen", 1, conditions=[]), ["#/states/3/transitions/1/conditions (chosen): error: is missing"]),
    ("variable instead of arguments", lambda flow: at(flow, "chosen")["transitions"][1]["conditions"][0].update(variable=at(flow, "chosen")["transitions"][1]["conditions"][0].pop("arguments")), ["#/states/3/transitions/1/conditions/0/variable (chosen): error: variable: unknown key; Studio's name for it is arguments"]),
    ("an operator of nobody's", condition(type="equals"), ["#/states/3/transitions/1/conditions/0/type (chosen): error: equals: unknown operator"]),
    ("a value that is a number", condition(value=1), ["#/states/3/transitions/1/conditions/0/value (chosen): error: integer found, string expected; write \"1\""]),
    ("no argument", condition(arguments=[]), ["#/states/3/transitions/1/conditions/0/arguments (chosen): error: 0 arguments"]),
    ("an argument that is a number", condition(arguments=[1]), ["#/states/3/transitions/1/conditions/0/arguments (chosen): warning: another value", "#/states/3/transitions/1/conditions/0/arguments/0 (chosen): error: integer found"]),
    ("no time", condition(type="is_before_time", value="8:00"), ["#/states/3/transitions/1/conditions/0/value (chosen): error: \"8:00\" is no time"]),
    ("no date", condition(type="is_after_date", value="31.12.2026"), ["#/states/3/transitions/1/conditions/0/value (chosen): error: \"31.12.2026\" is no date"]),
    ("a split without input", drop("chosen", "input"), ["#/states/3/properties/input (chosen): error: is missing"]),
    ("num_digits", lambda flow: (drop("menu", "number_of_digits")(flow), put("menu", num_digits=1)(flow)), ["#/states/1/properties/num_digits (menu): error: num_digits: unknown property; Studio's name for it is number_of_digits"]),
    ("numDigits", put("menu", numDigits=1), ["#/states/1/properties/numDigits (menu): error: numDigits: unknown property; Studio's name"]),
    ("speech_recognition_language", put("menu", speech_recognition_language="en-US"), ["#/states/1/properties/speech_recognition_language (menu): error: speech_recognition_language: unknown property; Studio's name for it is gather_language"]),
    ("contentType", put("lookup", contentType="x"), ["#/states/9/properties/contentType (lookup): error: contentType: unknown property; Studio's name for it is content_type"]),
    ("finishOnKey", put("voicemail", finishOnKey="#"), ["#/states/13/properties/finishOnKey (voicemail): error: finishOnKey: unknown property; Studio's name"]),
    ("send_twilio_credentials", put("lookup", send_twilio_credentials=True), ["#/states/9/properties/send_twilio_credentials (lookup): error: send_twilio_credentials: unknown property; Studio's name for it is add_twilio_auth"]),
    ("wait_url where it is waitUrl", put("flex", wait_url="x"), ["#/states/11/properties/wait_url (flex): error: wait_url: unknown property; Studio's name for it is waitUrl"]),
    ("a gather's timeout as text", put("menu", timeout="5"), ["#/states/1/properties/timeout (menu): error: string found, integer expected; write it without quotes"]),
    ("a redirect's timeout as a number", put("deflect", timeout=14400), ["#/states/4/properties/timeout (deflect): error: integer found, string expected; write \"14400\""]),
    ("a redirect's timeout over four hours", put("deflect", timeout="14401"), ["#/states/4/properties/timeout (deflect): error: \"14401\" is not allowed; allowed: \"0\" to \"14400\""]),
    ("a profanity filter of true", put("menu", profanity_filter=True), ["#/states/1/properties/profanity_filter (menu): error: boolean found, string expected; write \"true\""]),
    ("a beep of true", put("voicemail", play_beep=True), ["#/states/13/properties/play_beep (voicemail): error: boolean found, string expected; write \"true\""]),
    ("stop_gather as text", put("menu", stop_gather="true"), ["#/states/1/properties/stop_gather (menu): error: string found, boolean expected"]),
    ("a loop over 99", put("menu", loop=100), ["#/states/1/properties/loop (menu): error: 100 is out of bounds; allowed: 1 to 99"]),
    ("a wait over 30 seconds", put("menu", timeout=31), ["#/states/1/properties/timeout (menu): error: 31 is out of bounds; allowed: 0 to 30"]),
    ("a float where a whole number stands", put("menu", timeout=5.5), ["#/states/1/properties/timeout (menu): error: number found, integer expected"]),
    ("say and play", put("sorry", play="https://a.example/x.mp3"), ["#/states/14/properties/play (sorry): error: say and play together"]),
    ("nothing to say", drop("sorry", "say"), ["#/states/14/properties (sorry): error: nothing of say, play, digits is there"]),
    ("a property of null", put("sorry", say=None), ["#/states/14/properties/say (sorry): error: must not be null"]),
    ("a property that is a list", put("sorry", say=["x"]), ["#/states/14/properties/say (sorry): error: array found, string expected"]),
    ("no URL to redirect to", drop("deflect", "url"), ["#/states/4/properties/url (deflect): error: is missing"]),
    ("a method of nobody's", put("deflect", method="PUT"), ["#/states/4/properties/method (deflect): error: \"PUT\" is not allowed; allowed: one of GET POST"]),
    ("no URL to ask", drop("lookup", "url"), ["#/states/9/properties/url (lookup): error: is missing"]),
    ("no sender", drop("text", "from"), ["#/states/7/properties/from (text): error: is missing"]),
    ("no noun", drop("dial", "noun"), ["#/states/6/properties/noun (dial): error: is missing"]),
    ("a noun of nobody's", put("dial", noun="phone"), ["#/states/6/properties/noun (dial): error: \"phone\" is not allowed; allowed: one of number"]),
    ("record as TwiML has it", put("dial", record="record-from-answer"), ["#/states/6/properties/record (dial): error: string found, boolean expected"]),
    ("a time limit as a number", put("dial", time_limit=60), ["#/states/6/properties/time_limit (dial): error: integer found, string expected"]),
    ("ringing for 601 seconds", put("dial", timeout=601), ["#/states/6/properties/timeout (dial): error: 601 is out of bounds; allowed: 1 to 600"]),
    ("a queue and a workflow", put("queue", workflow_sid="WW1"), ["#/states/5/properties/workflow_sid (queue): error: queue_name and workflow_sid together"]),
    ("neither queue nor workflow", drop("queue", "queue_name"), ["#/states/5/properties (queue): error: nothing of queue_name, workflow_sid is there"]),
    ("Flex's priority as a number", put("flex", priority=0), ["#/states/11/properties/priority (flex): error: integer found, string expected; write \"0\""]),
    ("a queue's priority as text", put("queue", priority="0"), ["#/states/5/properties/priority (queue): error: string found, integer expected"]),
    ("Liquid as a subflow's SID", put("sub", flow_sid="{{flow.flow_sid}}"), ["#/states/12/properties/flow_sid (sub): error: no Liquid can stand here; allowed: a literal flow SID"]),
    ("no SID", put("sub", flow_sid="FW1"), ["#/states/12/properties/flow_sid (sub): error: \"FW1\" is not allowed; allowed: a literal flow SID"]),
    ("a revision of nobody's", put("sub", flow_revision="latest"), ["#/states/12/properties/flow_revision (sub): error: \"latest\" is not allowed"]),
    ("a variable without a value", put("count", variables=[{"key": "n"}]), ["#/states/2/properties/variables/0/value (count): error: is missing"]),
    ("a variable whose value is a number", put("count", variables=[{"key": "n", "value": 1}]), ["#/states/2/properties/variables/0/value (count): error: integer found, string expected"]),
    ("variables that are an object", put("count", variables={"n": "1"}), ["#/states/2/properties/variables (count): error: object found, array expected"]),
    ("a parameter of nobody's", put("lookup", parameters=[{"name": "k", "key": "k", "value": "v"}]), ["#/states/9/properties/parameters/0/name (lookup): error: name: unknown key"]),
    ("an offset without y", put("sorry", offset={"x": 1}), ["#/states/14/properties/offset/y (sorry): error: is missing"]),
    ("an offset of text", put("sorry", offset="1,2"), ["#/states/14/properties/offset (sorry): error: string found, object expected"]),
    ("properties of the trigger", put("Trigger", say="x"), ["#/states/0/properties/say (Trigger): error: say: unknown property"]),
    ("an empty name", more(state("", "say-play", {}, say="x")), ["#/states/15/name: error: must not be empty"]),
    ("a key with a slash", whole(**{"a/b~": 1}), ["#/a~1b~0: error: a/b~: unknown key"]),
]  # fmt: skip

REGRETS: list[tuple[str, Change, list[str]]] = [
    ("no offset", drop("sorry", "offset"), ["#/states/14/properties/offset (sorry): warning: no offset"]),
    ("nothing leads there", more(state("alone", "say-play", {"audioComplete": ""}, say="x")), ["#/states/15 (alone): warning: nothing leads here"]),
    ("Liquid of an unknown widget", put("sorry", say="{{widgets.menue.Digits}}"), ["#/states/14/properties/say (sorry): warning: no widget is named \"menue\"; did you mean menu?"]),
    ("Liquid in brackets", put("sorry", say="{% if widgets['no'].Digits %}x{% endif %}"), ["#/states/14/properties/say (sorry): warning: no widget is named \"no\""]),
    ("a split without noMatch", lambda flow: (at(flow, "chosen")["transitions"].pop(0), at(flow, "menu")["transitions"][1].update(next="sorry")), ["#/states/3/transitions (chosen): warning: no noMatch"]),
    ("unencoded Liquid in the URL", put("deflect", url="https://a.example/?from={{trigger.call.From}}"), ["#/states/4/properties/url (deflect): warning: {{trigger.call.From}} is not encoded"]),
    ("the execution's SID as the flow's", put("deflect", url="https://a.example/?flow={{flow.sid}}"), ["#/states/4/properties/url (deflect): warning: flow={{flow.sid}} is the execution's SID"]),
    ("a return that is not wired", lambda flow: at(flow, "deflect")["transitions"][0].pop("next"), ["#/states/4/transitions (deflect): warning: return leads nowhere"]),
    ("fail that is not wired", lambda flow: at(flow, "deflect")["transitions"].pop(2), ["#/states/4/transitions (deflect): warning: fail leads nowhere"]),
    ("no concurrent calls", whole(flags={"allow_concurrent_calls": False}), ["#/flags/allow_concurrent_calls: warning: false: a stuck execution"]),
    ("two conditions", way("chosen", 1, conditions=match("1", "x")["conditions"] * 2), ["#/states/3/transitions/1/conditions (chosen): warning: several conditions"]),
    ("another argument than the input", condition(arguments=["{{widgets.menu.SpeechResult}}"]), ["#/states/3/transitions/1/conditions/0/arguments (chosen): warning: another value"]),
    ("a regex between slashes", condition(type="regex", value="/1/"), ["#/states/3/transitions/1/conditions/0/value (chosen): warning: a regex between slashes"]),
    ("a name with a space", frame("Trigger", name="My Trigger"), ["#/initial_state: error: no state", "#/states/0/name (My Trigger): warning: Liquid may not find this name"]),
    ("a wait as a number, in older exports", put("ask", timeout=3600), ["#/states/8/properties/timeout (ask): warning: integer found"]),
    ("Flex without its workflow, as one export has it", drop("flex", "workflow"), ["#/states/11/properties/workflow (flex): warning: is missing"]),
    ("a gather that says nothing, as one export has it", drop("menu", "say"), ["#/states/1/properties (menu): warning: nothing of say, play is there"]),
    ("a trigger that leads nowhere", way("Trigger", 1, next=""), ["#/states/0 (Trigger): warning: nothing is wired to the trigger"]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_each_planted_fault_is_found_at_its_path(change: Change, expected: list[str]) -> None:
    flow = everything()
    change(flow)
    found = [str(finding) for finding in check(flow)]
    if "states" in flow and flow["states"] and isinstance(flow["states"], list):
        assert len(found) == len(expected), found
    for line, start in zip(found, expected, strict=False):
        assert line.startswith(start), found


@pytest.mark.parametrize(("change", "expected"), [case[1:] for case in REGRETS], ids=[case[0] for case in REGRETS])
def test_what_people_regret_is_warned_of(change: Change, expected: list[str]) -> None:
    flow = everything()
    change(flow)
    found = [str(finding) for finding in check(flow)]
    for start in expected:
        assert any(line.startswith(start) for line in found), found
    assert expected[0].split(": ")[1] in ("warning", "error")


def test_what_is_larger_than_twilio_takes_is_warned_of() -> None:
    assert [str(finding) for finding in check(everything(), 1024 * 1024)] == []
    (finding,) = check(everything(), 1024 * 1024 + 1)
    assert str(finding) == "#: warning: 1,048,577 bytes; Twilio is said to take 1 MiB"


def test_there_are_more_than_sixty() -> None:
    assert len({case[0] for case in ERRORS}) >= 60


def test_what_real_exports_hold_passes() -> None:
    assert check(everything()) == []
    assert {its["type"] for its in everything()["states"]} == set(WIDGETS)


@pytest.mark.parametrize("kind", sorted(UNDESCRIBED))
def test_of_widgets_that_nobody_described_the_frame_alone_is_judged(kind: str) -> None:
    made = state("x", kind, {"whatever": ""}, anything={"deep": [1]})
    assert check(flow(state("Trigger", "trigger", {"incomingCall": "x"}), made)) == []


HOSTILE = [
    ("nothing", b"", "line 1, column 1: no JSON"),
    ("a comment", b'{"states": [] // none\n}', "line 1, column 15: no JSON"),
    ("UTF-16", '{"a": 1}'.encode("utf-16"), "not UTF-8"),
    ("a key twice", b'{"a": 1, "a": 2}', "no JSON that Studio takes (the key 'a' twice"),
    ("NaN", b'{"a": NaN}', "no JSON that Studio takes (NaN"),
    ("a number of thousands of digits", b'{"a": ' + b"9" * 5000 + b"}", "no JSON that Studio takes"),
    ("a hundred levels", b"[" * 100 + b"]" * 100, "deeper than 50 levels"),
    ("a hundred thousand levels", b"[" * 100_000 + b"]" * 100_000, "deeper than 50 levels"),
    ("five megabytes", b'"' + b"x" * 5_000_000 + b'"', "over 4 MiB"),
]


@pytest.mark.parametrize(("content", "said"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_what_is_no_definition_is_one_sentence(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Unreadable) as raised:
        read(content)
    assert str(raised.value).startswith(said)
    file = tmp_path / "flow.json"
    file.write_bytes(content)
    assert main(["studio", "check", str(file)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{file}: error: {said}")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["states", "name", "type", "transitions", "properties", "event", "next", "conditions"])
            | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ODD)
def test_whatever_stands_in_a_file_there_is_no_traceback(data: Any) -> None:
    for finding in check(data):
        assert "\n" not in str(finding)
        str(finding).encode()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_is_put_anywhere_in_a_flow_there_is_no_traceback(data: st.DataObject) -> None:
    flow: Any = everything()
    inside = flow
    for _ in range(data.draw(st.integers(0, 6))):
        steps = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        if not steps:
            break
        step = data.draw(st.sampled_from(steps))
        if not isinstance(inside[step], dict | list):
            inside[step] = data.draw(ODD)
            break
        inside = inside[step]
    for finding in check(flow):
        str(finding).encode()


def test_circles_and_a_thousand_states_are_read_quickly() -> None:
    ring = [state(f"s{n}", "say-play", {"audioComplete": f"s{(n + 1) % 999}"}, say="x") for n in range(999)]
    assert check(flow(state("Trigger", "trigger", {"incomingCall": "s0"}), *ring)) == []


def test_a_file_of_faults_ends_somewhere() -> None:
    found = check({"states": [None] * 100_000, "initial_state": "x"})
    assert len(found) == MOST_FOUND + 1
    assert any("the rest is not shown" in finding.message for finding in found)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(written(everything()), encoding="utf-8")
    assert main(["studio", "check", str(good)]) == 0
    assert capsys.readouterr() == ("", "1 flow(s), no error(s), no warning(s)\n")
    regretted = everything()
    regretted["flags"]["allow_concurrent_calls"] = False
    bad.write_text(json.dumps(regretted), encoding="utf-8")
    assert main(["studio", "check", str(bad)]) == 0
    assert main(["studio", "check", "--strict", str(good), str(bad)]) == 1
    assert f"{bad}:#/flags/allow_concurrent_calls: warning: false:" in capsys.readouterr().out
    assert main(["studio", "check", str(tmp_path / "none.json")]) == 1
    assert "none.json: error: cannot be read (No such file or directory)" in capsys.readouterr().out
    with pytest.raises(SystemExit) as usage:
        main(["studio", "check"])
    assert usage.value.code == 2
