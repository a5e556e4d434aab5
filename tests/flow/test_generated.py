"""Generated brands: whatever a caller does, every document is one that Twilio takes, and from everywhere a way ends."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ivr.flow import engine, twiml
from ivr.flow.engine import Heard
from ivr.flow.load import load
from ivr.flow.model import Flow
from ivr.flow.script import GoTo, Listen, Script, Step
from ivr.flow.texts import MOST_SPOKEN
from ivr.flow.twiml import Caller
from ivr.flow.words import PHRASES, TEXTED
from tests.flow.test_twiml import PLAIN, STUDIO
from tests.twiml_rules import faults

MENUS = ("menu", "more", "last")
BRANCHES = ("billing", "bookings")
NAMES = (*MENUS, *BRANCHES)
LONG = "語" * (MOST_SPOKEN // 3)

words = st.sampled_from(
    ["Press 1.", "<&>\"'", "Hello {{ caller }} of {{ brand }}.", "{% if brand %}Ja{% endif %}", "您好 1", LONG]
)
spoken = words | st.sampled_from(
    [{"play": "https://a.example/b.mp3?c=1&d=2"}, {"play": "https://a.example/" + "b" * 1900}]
)
exits = (
    st.sampled_from([{"queue": "q" * 64}, {"dial": "+14155550199"}, {"dial": "sip:a@b.example"}, {"studio": "return"}])
    | st.fixed_dictionaries({"say": spoken})
    | st.fixed_dictionaries({"menu": st.sampled_from(MENUS)})
    | st.just({"redirect": "https://a.example/?b=1&c=2"})
)  # fmt: skip
inherited = {
    "fallback": exits,
    "tries": st.integers(1, 5).map(str),
    "wait": st.sampled_from(["1 second", "60 seconds"]),
    "confirm": st.sampled_from(["1 second", "1 minute"]),
    "accept": st.sampled_from("159*#"),
    "other_number": st.sampled_from("234"),
    "regions": st.just(["US", "GB"]),
}
press = st.dictionaries(st.sampled_from("0129*#"), st.sampled_from(NAMES), min_size=1)
menus = st.fixed_dictionaries({"say": spoken, "press": press, "otherwise": exits}, optional=inherited)
branches = st.fixed_dictionaries(
    {"offer": spoken, "greeting": st.just("{{ brand }}, STOP."), "otherwise": exits},
    optional={
        **inherited,
        "sla": st.just("10 minutes"),
        "hours": st.sampled_from(["Tue 08:00-20:00", "24/7"]),
        "closed": st.fixed_dictionaries(
            {}, optional={"offer": spoken, "greeting": st.just("{{ opens }}, STOP."), "otherwise": exits}
        ),
    },
)
brands = st.fixed_dictionaries(
    {
        "name": st.just("Acme"),
        "sender": st.just({"sms": "+14155550111"}),
        "menu": menus,
        "menus": st.fixed_dictionaries({"more": menus, "last": menus}),
        "branches": st.fixed_dictionaries(dict.fromkeys(BRANCHES, branches)),
    },
    optional={
        **inherited,
        "voice": st.sampled_from(["man", "Google.en-US-Wavenet-A"]),
        "phrases": st.dictionaries(st.sampled_from([name for name in PHRASES if name not in TEXTED]), spoken),
    },
)

A_MONDAY = datetime(2026, 3, 2, 14, 22, tzinfo=UTC)
TEXTS: tuple[engine.Text, ...] = ("sent", "pending", "refused", "unable", "needed", "delivered", "unknown")


def heard(studio: bool) -> Iterator[Heard]:
    keys = ("", "0", "1", "2", "5", "9", "*", "#", "4155552671")
    for key, text, result in itertools.product(keys, TEXTS, ("bridged", "queue-full", "no-answer")):
        yield Heard(key[:1], key, result, False, studio, text, "+14155552672", now=A_MONDAY)


def scripts(flow: Flow, step: Step, studio: bool) -> set[Script]:
    """Whatever may follow at a step."""
    found = set()
    for each in heard(studio):
        answer = engine.answer(flow, step, each)
        yes = answer.accepts or answer.confirms
        found.add(engine.texted(flow, yes, 0 if answer.accepts else step.attempt, each) if yes else answer.script)
    return found


def steps(script: Script) -> set[Step]:
    """Where a caller may be next."""
    return {verb.then for verb in script if isinstance(verb, Listen)} | {
        verb.step for verb in script if isinstance(verb, GoTo)
    }


def stuck(flow: Flow, caller: Caller) -> set[str]:
    """The steps from which no way ends; every document on the way is one that Twilio takes."""
    leads: dict[Step, set[Step]] = {}
    ending: set[Step] = set()
    waiting = [Step(name) for name in NAMES]
    while waiting:
        step = waiting.pop()
        if step in leads:
            continue
        leads[step] = set()
        for script in scripts(flow, step, bool(caller.studio_flow)):
            document = twiml.document(flow, script, caller)
            assert faults(document) == [], f"{step}: {document.decode()[:2000]}"
            leads[step] |= steps(script)
            if not isinstance(script[-1], GoTo):
                ending.add(step)
        waiting += leads[step]
    while more := {step for step, to in leads.items() if to & ending} - ending:
        ending |= more
    return {f"{step}" for step in leads.keys() - ending}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(brands, st.sampled_from([PLAIN, STUDIO]))
def test_every_path_of_a_generated_brand(tmp_path: Path, brand: dict[str, Any], caller: Caller) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(json.dumps(brand, ensure_ascii=False), encoding="utf-8")
    loaded = load([file])
    assume(not loaded.errors)
    (flow,) = loaded.flows.values()
    assert stuck(flow, caller) == set()


@pytest.mark.parametrize(
    "most", ["語" * (MOST_SPOKEN // 3), {"play": "https://a.example/" + "é" * 1990}], ids=["words", "recordings"]
)
def test_the_most_that_a_file_may_say_fits(tmp_path: Path, most: Any) -> None:
    """A prompt is played five times at most, with an apology before it and a goodbye behind it."""
    branch = {"offer": most, "greeting": "STOP", "otherwise": {"say": most}}
    menu = {"say": most, "press": {"1": "billing"}, "otherwise": {"say": most}}
    brand = {
        "name": "Acme", "sender": {"sms": "+14155550111"}, "tries": "5", "other_number": "2", "menu": menu,
        "menus": dict.fromkeys(("more", "last"), menu), "branches": dict.fromkeys(BRANCHES, branch),
        "phrases": {phrase: most for phrase in PHRASES if phrase not in TEXTED},
    }  # fmt: skip
    file = tmp_path / "acme.yaml"
    file.write_text(json.dumps(brand, ensure_ascii=False), encoding="utf-8")
    (flow,) = load([file]).flows.values()
    assert stuck(flow, STUDIO) == set()
