"""`studio pull`: each thing that Studio does and a brand's file does not is a line, at its widget."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from ivr.flow.load import load_directory
from ivr.sandbox.town import ROOT
from ivr.studio.check import check
from ivr.studio.definition import Unreadable, read
from ivr.studio.environment import substituted
from ivr.studio.export import export
from ivr.studio.liquid_text import CannotRender, filled
from ivr.studio.pull import pull
from tests.studio.given import flow, match, split, state
from tests.studio.test_check import at, put

Change = Callable[[dict[str, Any]], Any]
DIGITS, TRIES = "{{widgets.menu.Digits}}", "{{flow.variables.n}}"


def counted() -> dict[str, Any]:
    """A menu that is asked three times, of which everything is carried but that nothing offers a text."""
    more = {"key": "n", "value": "{{flow.variables.n | plus: 1}}"}
    return flow(
        state("Trigger", "trigger", {"incomingCall": "first"}),
        state("first", "set-variables", {"next": "menu"}, variables=[{"key": "n", "value": "1"}]),
        state("menu", "gather-input-on-call", {"keypress": "chosen", "speech": "tried", "timeout": "tried"}, say="Press 1.", timeout=5, number_of_digits=1, finish_on_key=""),
        split("chosen", [match("1", "sales", asked=DIGITS)], "tried", DIGITS),
        split("tried", [match("3", "people", asked=TRIES)], "again", TRIES),
        state("again", "set-variables", {"next": "menu"}, variables=[more]),
        state("sales", "connect-call-to", {"callCompleted": "ended"}, noun="number", to="+14155550199"),
        split("ended", [match("completed,answered", "", "matches_any_of", "{{widgets.sales.DialCallStatus}}")], "people", "{{widgets.sales.DialCallStatus}}"),
        state("people", "enqueue-call", {"callComplete": "", "failedToEnqueue": "bye", "callFailure": "bye"}, queue_name="front"),
        state("bye", "say-play", {"audioComplete": ""}, say="Goodbye."),
    )  # fmt: skip


def case(name: str, **change: Any) -> Change:
    """Changes the first condition of a split."""
    return lambda flow: at(flow, name)["transitions"][1]["conditions"][0].update(change)


def twice(flow: dict[str, Any]) -> None:
    conditions = at(flow, "chosen")["transitions"][1]["conditions"]
    conditions.append({**conditions[0], "arguments": ["{{flow.variables.open}}"], "value": "yes"})


def leads(name: str, event: str, to: str) -> Change:
    def change(flow: dict[str, Any]) -> None:
        (way,) = (way for way in at(flow, name)["transitions"] if way["event"] == event)
        way["next"] = to

    return change


def back(value: str) -> Change:
    return put("again", variables=[{"key": "n", "value": value}])


NOT_UP = ("tried", "n is not counted up by one on the way back; here each try counts")
ANOTHER = "the case equal_to 1: asks about more than what is pressed; here it is no key"
STATUS = "the case matches_any_of completed,answered: here a call was answered, or was not"
# What is changed, the widget, and what is said of it.
LEFT: list[tuple[str, Change, tuple[str, str]]] = [
    ("what follows every call", leads("sales", "callCompleted", "bye"), ("sales", "callCompleted: bye follows an answered call too; here only one that was not")),
    ("what follows an answered call", leads("ended", "match", "bye"), ("ended", STATUS)),
    ("a call's result turned round", case("ended", type="does_not_match_any_of"), ("ended", STATUS.replace("matches", "does_not_match"))),
    ("a call's result and more", case("ended", arguments=["{{flow.variables.x}}"]), ("ended", STATUS)),
    ("a key that ends", put("menu", finish_on_key="#"), ("", "")),  # silence and a wrong key are the same here
    ("a key that ends, another way", lambda flow: (put("menu", finish_on_key="#")(flow), leads("menu", "timeout", "people")(flow)), ("menu", "# alone is silence there; here it is a wrong key")),
    ("a case that never comes", put("menu", finish_on_key="1"), ("menu", "the case 1 never comes there: that key ends what is typed")),
    ("several keys", put("menu", number_of_digits=4), ("menu", "several keys may be typed; here the first one is taken at once")),
    ("a split's own input", put("chosen", input="{{widgets.menu.Digits | plus: 0}}"), ("chosen", "{{widgets.menu.Digits | plus: 0}}: here the key alone is asked about")),
    ("a case's own argument", case("chosen", arguments=["{{widgets.lookup.parsed.tier}}"]), ("chosen", ANOTHER)),
    ("two conditions", twice, ("chosen", "the case equal_to 1 and equal_to yes: asks about more than what is pressed; here it is no key")),
    ("a counter that is set", back("2"), NOT_UP),
    ("a counter that is counted by two", back("{{flow.variables.n | plus: 2}}"), NOT_UP),
    ("another's counter", back("{{flow.variables.m | plus: 1}}"), NOT_UP),
    ("a way back without a counter", leads("tried", "noMatch", "menu"), NOT_UP),
    ("another variable on the way back", put("again", variables=[{"key": "n", "value": "{{flow.variables.n | plus: 1}}"}, {"key": "x", "value": "1"}]), ("again", "the variable x; a brand's file has none")),
    ("a number that is no counter", put("first", variables=[{"key": "n", "value": "1"}, {"key": "x", "value": "1"}]), ("first", "the variable x; a brand's file has none")),
    ("a counter of another kind", put("first", variables=[{"key": "n", "value": "²"}]), ("first", "the variable n; a brand's file has none")),
    ("a counter of thousands of digits", put("first", variables=[{"key": "n", "value": "9" * 5000}]), ("first", "the variable n; a brand's file has none")),
    ("a last try of another kind", case("tried", value="²"), ("first", "")),
    ("a last try of thousands of digits", case("tried", value="9" * 5000), ("first", "")),
]  # fmt: skip


def told(definition: Any) -> set[tuple[str, str]]:
    return {(finding.state, finding.message) for finding in pull(definition, "Acme", None, "+14155550111").left}


def test_the_flow_itself_is_carried() -> None:
    pulled = pull(counted(), "Acme", None, "+14155550111")
    assert [finding.state for finding in pulled.left] == ["sales"], pulled.left  # where no text is offered
    assert pulled.brand["menu"]["tries"] == "3"


@pytest.mark.parametrize(("change", "expected"), [case[1:] for case in LEFT], ids=[case[0] for case in LEFT])
def test_each_thing_that_is_left_is_a_line(change: Change, expected: tuple[str, str]) -> None:
    changed = counted()
    change(changed)
    assert [str(finding) for finding in check(changed) if finding.severity == "error"] == []
    before, after = told(counted()), told(changed)
    if expected[1]:
        assert expected in after - before, after
    elif not expected[0]:
        assert after == before


def test_a_number_s_case_with_more_conditions_is_no_number() -> None:
    cases = [match("+14155550101", "bye", asked="{{trigger.call.To}}")]
    dialled = split("dialled", cases, "first", "{{trigger.call.To}}")
    made = counted()
    made["states"].append(dialled)
    leads("Trigger", "incomingCall", "dialled")(made)
    assert pull(made, "Acme").brand["numbers"] == {"+14155550101": "bye"}
    cases[0]["conditions"][0]["arguments"] = ["{{flow.variables.x}}"]
    assert ("dialled", "the case equal_to +14155550101; here numbers enter places") in told(made)


def test_a_result_s_case_of_another_kind_is_told() -> None:
    brand = load_directory(ROOT / "flows").flows["corner-bakery"]
    made = export(brand, "redirect", "https://ivr.example.com").definition
    case("back_orders", type="not_equal_to")(made)
    said = ("back_orders", "the case not_equal_to accepted; here a result is accepted, or it is not")
    assert said in told(made)


# What a file holds, and what is said of it.
UNWRITABLE = [
    (rb'{"states": [{"name": "\ud83d"}]}', "#/states/0/name: half a character stands alone there"),
    (rb'{"\udc00": 1}', "half a character stands alone there"),
    (b'{"x": 1e999}', "1e999 is out of bounds"),
]


@pytest.mark.parametrize(("content", "said"), UNWRITABLE)
def test_what_nobody_could_write_again_is_not_read(content: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read(content)
    assert read('{"x": "\\ud83d\\ude00😀"}'.encode()) == {"x": "😀😀"}


def test_a_way_on_that_never_ends_is_cut_and_told() -> None:
    """Words and splits in turn, which are no prompt of one sentence."""
    row = [
        state(f"s{n}", "split-based-on", {"noMatch": f"s{n + 1}"}, input="x")
        if n % 2
        else state(f"s{n}", "say-play", {"audioComplete": f"s{n + 1}"}, say="x")
        for n in range(998)
    ]
    row.append(state("s998", "say-play", {"audioComplete": ""}, say="Goodbye."))
    messages = {message for _, message in told(flow(state("Trigger", "trigger", {"incomingCall": "s0"}), *row))}
    assert "over 50 widgets follow one another here; a sentence is said instead" in messages


@pytest.mark.parametrize("opening", ["{{", "{{ x ", "{%", "{{widgets", "{{{{ }}"])
def test_a_text_of_openings_is_read_in_a_moment(opening: str) -> None:
    says = state("a", "say-play", {"audioComplete": ""}, say=opening * 50_000)
    redirect = state("b", "add-twiml-redirect", {"return": "a"}, url=opening * 50_000)
    made = flow(state("Trigger", "trigger", {"incomingCall": "b"}), says, redirect)
    began = time.monotonic()
    check(made)
    pull(made, "Acme")
    substituted(made, {"x": "y"})
    assert time.monotonic() - began < 5
    with pytest.raises(CannotRender, match=r"not run here|cannot be filled in"):
        filled(opening * 3_000, {})
