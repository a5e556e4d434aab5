"""The same scripted calls over the real server, by HTTP, and over the native export: they tell the same story."""

import random

import pytest

from ivr.sandbox.scene import Scene
from ivr.sandbox.town import Town
from ivr.studio.export import export
from ivr.studio.run import Agents
from tests.studio.stories import CALLER, Story, by_studio

SCRIPTS = ["", "1", "1,1", "1,1,1", "1,1,9,1", "2,1", "9,9", "2,,1", "1,9,9"]
_callers = iter(random.Random(8).sample(range(2000, 9999), 500))


@pytest.mark.parametrize("agents", ["free", "nobody", "full"])
@pytest.mark.parametrize("brand", ["acme", "corner-bakery"])
def test_the_server_and_the_native_export_tell_the_same_story(here: Town, brand: str, agents: Agents) -> None:
    flow = here.flows[brand]
    assert flow.entry
    definition = export(flow, "native", "").definition
    heard = set()
    for script in SCRIPTS:
        keys = script.split(",")
        caller = f"+1415556{next(_callers):04d}"
        scene = Scene(brand, flow.entry.name, caller, keys=keys, agents=agents, callbacks="lost")
        _, transcript = here.play(scene)
        ending = " ".join(caller[-4:])  # as it is spoken, digit by digit
        told = [
            (its.who, its.what.replace(ending, CALLER[-4:]).replace(caller[-4:], CALLER[-4:]))
            for its in transcript.events
        ]
        assert spoken(told) == spoken(by_studio(definition, keys, agents)), script
        heard |= {what for who, what in told if who == "ivr"}
    assert any(what.startswith("If nothing has arrived") for what in heard)


def spoken(told: Story) -> Story:
    """What is heard, pressed, and becomes of the call; texts arrive when they do."""
    return [
        (who, what)
        for who, what in told
        if who in ("ivr", "caller", "call") and "dials" not in what and (who, what) != ("call", "ends")
    ]


def test_the_two_text_the_same_words(here: Town) -> None:
    caller = f"+1415556{next(_callers):04d}"
    _, transcript = here.play(Scene("acme", "billing", caller, keys=["1", "1"], callbacks="lost"))
    definition = export(here.flows["acme"], "native", "", "billing").definition
    (text,) = [what for who, what in by_studio(definition, ["1", "1"], "free") if who == "text"]
    assert any(text in what for what in transcript.said("text"))
