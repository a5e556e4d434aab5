"""TwiML: every document of every shipped brand is one that Twilio takes, and leads the caller on."""

import itertools
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.flow import engine, twiml
from ivr.flow.engine import Heard
from ivr.flow.load import load_directory
from ivr.flow.model import Branch, Flow, Menu, Recording
from ivr.flow.script import HangUp, Script, Speak, Step
from ivr.flow.twiml import Caller
from ivr.flow.words import Words
from ivr.sandbox.town import ROOT
from tests.twiml_rules import faults

PLAIN = Caller("+14155552671")
STUDIO = Caller("+14155552671", "+14155550100", "AC" + "0" * 32, "FW" + "0" * 32, "FN" + "0" * 32)
FLOWS = load_directory(ROOT / "flows").flows


def scripts(flow: Flow) -> Iterator[tuple[str, Script]]:
    """Every script of a flow, whatever is heard at any step."""
    places: list[Menu | Branch] = [*flow.menus.values(), *flow.branches.values()]
    steps = ("", "choose", "answer", "number", "right", "confirm", "arrived", "queued", "dialled", "gone")
    keys = ("", "1", "2", "9", "*", "#", "4155552671")
    texts: tuple[engine.Text, ...] = ("sent", "pending", "refused", "unable", "needed", "delivered", "unknown")
    for place, name, attempt, key, text in itertools.product(places, steps, (1, 2), keys, texts):
        for result, studio in (("bridged", False), ("queue-full", False), ("no-answer", True)):
            heard = Heard(key[:1], key, result, False, studio, text, "+14155552672")
            for role in ("otherwise", "fallback"):
                answer = engine.answer(flow, Step(place.name, name, attempt, role), heard)
                yes = answer.accepts or answer.confirms
                script = engine.texted(flow, yes, attempt - 1, heard) if yes else answer.script
                yield f"{place.name}.{name}.{key}.{text}", script
    yield "lost", engine.lost(flow, Heard())


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
@pytest.mark.parametrize("caller", [PLAIN, STUDIO], ids=["plain", "studio"])
def test_every_document_of_every_shipped_brand(flow: Flow, caller: Caller) -> None:
    seen = dict.fromkeys(scripts(flow))
    documents = {script: name for name, script in seen}
    assert len(documents) > 10
    for script, name in documents.items():
        document = twiml.document(flow, script, caller)
        assert faults(document) == [], f"{name}: {document.decode()}"


def test_the_rules_find_what_is_wrong() -> None:
    assert "dead air" in faults(b"<Response><Say>hello</Say></Response>")[0]
    assert faults(b"<Response><Gather><Dial>1</Dial></Gather><Hangup/></Response>") == [
        "12200: Dial in Gather", "Gather without an action",
    ]  # fmt: skip
    assert "no attribute colour" in faults(b"<Response><Hangup colour='red'/></Response>")[0]


def test_ready_made_documents_are_those_rendered_at_the_call(acme: Flow) -> None:
    ready = twiml.ready_made(acme)
    assert set(ready) == {"menu", "billing", "bookings"}
    for name, document in ready.items():
        assert document == twiml.document(acme, engine.answer(acme, Step(name), Heard()).script, PLAIN)


def test_digits_are_read_one_by_one_in_whatever_voice(acme: Flow) -> None:
    sent = engine.texted(acme, acme.branches["billing"], 0, Heard(text="sent"))
    polly = ElementTree.fromstring(twiml.document(acme, sent, PLAIN))[0]
    assert polly.find("say-as").text == "2671"  # type: ignore[union-attr]
    assert "ending in 2671." in "".join(polly.itertext())
    bakery = FLOWS["corner-bakery"]
    sent = engine.texted(bakery, bakery.branches["orders"], 0, Heard(text="sent"))
    basic = ElementTree.fromstring(twiml.document(bakery, sent, PLAIN))[0]
    assert "ending in 2 6 7 1." in (basic.text or "")
    assert len(basic) == 0


def test_words_and_recordings(acme: Flow) -> None:
    script = (Speak(Words("Fish & <chips>")), Speak(Recording("https://example.com/a.mp3?x=1&y=2")), HangUp())
    say, play, _ = ElementTree.fromstring(twiml.document(acme, script, PLAIN))
    assert say.text == "Fish & <chips>"
    assert play.text == "https://example.com/a.mp3?x=1&y=2"


def test_studio_s_ids_go_along(acme: Flow) -> None:
    document = twiml.document(acme, engine.answer(acme, Step("billing"), Heard()).script, STUDIO)
    gather, enqueue = ElementTree.fromstring(document)
    ids = f"flow={STUDIO.studio_flow}&exec={STUDIO.studio_execution}"
    assert gather.get("action") == f"/voice/acme/billing?step=answer&{ids}"
    assert enqueue.get("action") == f"/voice/acme/billing?step=queued&{ids}"


def test_the_way_back_to_studio() -> None:
    (redirect,) = ElementTree.fromstring(twiml.back_to_studio(STUDIO, "error", "no_brand"))
    flow_url = f"https://webhooks.twilio.com/v1/Accounts/{STUDIO.account_sid}/Flows/{STUDIO.studio_flow}"
    assert redirect.text == f"{flow_url}?FlowEvent=return&result=error&reason=no_brand"


def test_a_caller_without_a_number_shows_the_dialled_one(acme: Flow) -> None:
    script = engine.answer(acme, Step("bookings", "answer"), Heard()).script
    plain = ElementTree.fromstring(twiml.document(acme, script, PLAIN))[0]
    withheld = ElementTree.fromstring(twiml.document(acme, script, Caller(caller_id="+14155550100")))[0]
    assert plain.get("callerId") is None
    assert withheld.get("callerId") == "+14155550100"


def test_callbacks_are_plain_ascii(acme: Flow) -> None:
    callbacks = set()
    for _, script in scripts(acme):
        for verb in ElementTree.fromstring(twiml.document(acme, script, STUDIO)).iter():
            callbacks |= {verb.get("action") or "", (verb.text or "") if verb.tag == "Redirect" else ""}
    ours = {callback for callback in callbacks if callback.startswith("/voice/acme/")}
    assert len(ours) > 10
    for callback in ours:
        assert re.fullmatch(r"[\w/?=&.-]+", callback, re.ASCII), callback


def test_the_copied_schema_is_whole() -> None:
    schema = json.loads((Path(__file__).parents[1] / "recorded" / "twiml_schema.json").read_text())
    assert {"Gather", "Enqueue", "Dial", "Redirect", "Say"} <= schema["voice"].keys()
