"""The engine: where a call is and what was heard, to what is said and done next."""

from dataclasses import replace

import pytest

from ivr.flow import engine
from ivr.flow.engine import Heard
from ivr.flow.model import Flow, ToGoodbye, ToMenu, ToNumber, ToQueue, ToSip, ToStudio, ToUrl
from ivr.flow.script import Dial, Enqueue, GoOut, GoTo, HangUp, Listen, ReturnToStudio, Script, Speak, Step, Wait
from ivr.flow.words import Words


def told(script: Script) -> str:
    """A script in a few words, so that a table of cases can be read."""
    return " ".join(_verb(verb) for verb in script)


def _verb(verb: object) -> str:
    match verb:
        case Listen():
            return _listen(verb)
        case Enqueue(queue, Step(place, name, _, role)):
            return f"queue:{queue}>{place}.{name}.{role}"
        case Dial(to, Step(_, _, _, role)):
            return f"dial:{getattr(to, 'number', getattr(to, 'address', ''))}.{role}"
        case GoTo(Step(place, name, attempt)):
            return f"go:{place}.{name}" + (f".{attempt}" if attempt > 1 else "")
        case GoOut(url):
            return f"out:{url}"
        case ReturnToStudio(result, reason):
            return f"studio:{result}.{reason}"
        case Wait(seconds):
            return f"wait:{seconds}"
        case HangUp():
            return "hangup"
        case Speak(Words(text)):
            return "say:" + text.split(",")[0].split(".")[0].replace(" ", "-")
    return "?"


def _listen(verb: Listen) -> str:
    if verb.digits:
        return f"ask:{verb.then.attempt}"
    if verb.number:
        return f"right:{verb.then.attempt}:{verb.number}"
    return f"listen:{verb.then.place}.{verb.then.name}.{verb.then.attempt}"


OTHERWISE = "queue:billing>billing.queued.otherwise"
ASK = f"ask:1 ask:2 {OTHERWISE}"
KEYED = "+14155552672"
MENU = "listen:menu.choose.1 listen:menu.choose.2 queue:front>menu.queued.otherwise"
OFFER = f"listen:billing.answer.1 {OTHERWISE}"
WRONG = "say:Sorry"
NOBODY = "say:We-are-sorry hangup"
GOODBYE = "say:Thank-you hangup"

CASES = [
    ("failed at the last question", Step("billing", "arrived"), Heard(text="refused"), f"say:We-are-sorry {ASK}"),
    ("the number keyed in failed there", Step("billing", "arrived"), Heard(text="refused", number=KEYED),
     f"say:We-are-sorry ask:2 {OTHERWISE}"),
    ("enters the menu", Step("menu"), Heard(), MENU),
    ("enters a branch", Step("billing"), Heard(), OFFER),
    ("a key of the menu", Step("menu", "choose"), Heard("1"), OFFER),
    ("a wrong key", Step("menu", "choose"), Heard("9"), f"{WRONG} listen:menu.choose.2 queue:front>menu.queued.otherwise"),
    ("a wrong key at the last prompt", Step("menu", "choose", 2), Heard("9"), "queue:front>menu.queued.otherwise"),
    ("no key after all", Step("menu", "choose"), Heard(""), "listen:menu.choose.2 queue:front>menu.queued.otherwise"),
    ("silence at the offer", Step("billing", "answer"), Heard(""), OTHERWISE),
    ("a wrong key at the offer", Step("billing", "answer"), Heard("2"), f"{WRONG} listen:billing.answer.2 {OTHERWISE}"),
    ("wrong keys are over", Step("billing", "answer", 2), Heard("2"), OTHERWISE),
    ("the text failed", Step("billing", "confirm"), Heard(text="refused"), f"say:We-are-sorry {ASK}"),
    ("none could be sent", Step("billing", "confirm"), Heard(text="unable"), f"say:We-are-sorry {OTHERWISE}"),
    ("the keyed one failed", Step("billing", "confirm", 2), Heard(text="refused", number=KEYED), f"say:We-are-sorry ask:2 {OTHERWISE}"),
    ("and the last", Step("billing", "confirm", 3), Heard(text="refused", number=KEYED), f"say:We-are-sorry {OTHERWISE}"),
    ("a number", Step("billing", "number"), Heard("4", "4155552672"), f"right:1:{KEYED} right:2:{KEYED} {OTHERWISE}"),
    ("a number, the second time", Step("billing", "number", 2), Heard("4", "4155552672"), f"right:2:{KEYED} {OTHERWISE}"),
    ("no number", Step("billing", "number"), Heard("9", "911"), f"say:Sorry ask:2 {OTHERWISE}"),
    ("no number, the last time", Step("billing", "number", 2), Heard("9", "911"), f"say:Sorry {OTHERWISE}"),
    ("started over", Step("billing", "number"), Heard("4", "415*"), f"ask:2 {OTHERWISE}"),
    ("it is wrong", Step("billing", "right"), Heard("2", number=KEYED), f"ask:2 {OTHERWISE}"),
    ("it is wrong, the last time", Step("billing", "right", 2), Heard("2", number=KEYED), f"ask:2 {OTHERWISE}"),
    ("started over, the last time", Step("billing", "number", 2), Heard("4", "415*"), f"ask:2 {OTHERWISE}"),
    ("neither right nor wrong", Step("billing", "right"), Heard("7", number=KEYED), f"say:Sorry right:2:{KEYED} {OTHERWISE}"),
    ("right, but nothing was promised", Step("billing", "right"), Heard("1"), OTHERWISE),
    ("right, and sent already", Step("billing", "right"), Heard("1", text="sent", number=KEYED), "say:We-are-texting-the-number-ending-in- wait:10 go:billing.confirm.2"),
    ("the text arrived", Step("billing", "confirm"), Heard(text="delivered"), GOODBYE),
    ("the text is under way", Step("billing", "confirm"), Heard(text="sent"), "listen:billing.arrived.1 go:billing.arrived"),
    ("nobody knows yet", Step("billing", "confirm"), Heard(text="pending"), "listen:billing.arrived.1 go:billing.arrived"),
    ("no text was promised", Step("billing", "confirm"), Heard(), OTHERWISE),
    ("it has not arrived", Step("billing", "arrived"), Heard("1"), OTHERWISE),
    ("it has, or the caller is silent", Step("billing", "arrived"), Heard(""), GOODBYE),
    ("a wrong key then", Step("billing", "arrived"), Heard("5"), f"{WRONG} listen:billing.arrived.2 go:billing.arrived.2"),
    ("and again", Step("billing", "arrived", 2), Heard("5"), OTHERWISE),
    ("talked to an agent", Step("billing", "queued"), Heard(result="bridged"), "hangup"),
    ("left the queue", Step("billing", "queued"), Heard(result="leave"), "hangup"),
    ("hung up in the queue", Step("billing", "queued"), Heard(result="hangup", gone=True), "hangup"),
    ("the queue is full", Step("billing", "queued"), Heard(result="queue-full"), NOBODY),
    ("the queue failed", Step("billing", "queued"), Heard(result="system-error"), NOBODY),
    ("the queue says nothing we know", Step("billing", "queued"), Heard(result="huh"), NOBODY),
    ("talked on the phone", Step("bookings", "dialled"), Heard(result="completed"), "hangup"),
    ("nobody picked up", Step("bookings", "dialled"), Heard(result="no-answer"), "say:We-are-sorry hangup"),
    ("the fallback failed", Step("bookings", "dialled", role="fallback"), Heard(result="busy"), NOBODY),
    ("a step that a deploy took away", Step("billing", "gone"), Heard("1"), OTHERWISE),
    ("a branch that a deploy took away", Step("gone", "answer"), Heard("1"), "queue:front>menu.queued.otherwise"),
    ("the same, from Studio", Step("gone", "answer"), Heard("1", from_studio=True), "studio:error.unknown_place"),
    ("answered, then a deploy", Step("gone", "queued"), Heard(result="bridged"), "hangup"),
    ("hung up, then a deploy", Step("gone", "dialled"), Heard(gone=True), "hangup"),
    ("a step of a branch asked of a menu", Step("menu", "answer"), Heard("1"), "queue:front>menu.queued.otherwise"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "heard", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_follows(acme: Flow, step: Step, heard: Heard, said: str) -> None:
    assert told(engine.answer(acme, step, heard).script) == said


def test_the_accept_key_accepts(acme: Flow) -> None:
    answer = engine.answer(acme, Step("billing", "answer", 2), Heard("1"))
    assert (answer.accepts, answer.script) == (acme.branches["billing"], ())


def test_a_number_is_kept_then_confirmed(acme: Flow) -> None:
    billing = acme.branches["billing"]
    assert engine.answer(acme, Step("billing", "number"), Heard("4", "4155552672")).enters == KEYED
    assert engine.answer(acme, Step("billing", "number"), Heard("9", "9005550123")).enters is None
    assert engine.answer(acme, Step("billing", "right"), Heard("1", number=KEYED)).confirms is billing
    assert engine.answer(acme, Step("billing", "right"), Heard("2", number=KEYED)).confirms is None


def test_the_key_for_another_number_accepts_where_there_is_one(acme: Flow) -> None:
    billing = replace(acme.branches["billing"], other_number="2")
    flow = replace(acme, branches={"billing": billing})
    assert engine.answer(flow, Step("billing", "answer"), Heard("2")).accepts is billing
    assert engine.answer(acme, Step("billing", "answer"), Heard("2")).accepts is None
    assert engine.answer(acme, Step("billing", "answer"), Heard("")).accepts is None


def test_an_offer_is_told_apart_the_first_time_only(acme: Flow) -> None:
    billing = acme.branches["billing"]
    assert engine.answer(acme, Step("billing"), Heard()).offers is billing
    assert engine.answer(acme, Step("menu", "choose"), Heard("1")).offers is billing
    assert engine.answer(acme, Step("billing", "answer"), Heard("9")).offers is None
    assert engine.answer(acme, Step("menu"), Heard()).offers is None


TEXTED = [
    ("sent", "say:We-are-texting-the-number-ending-in- wait:10 go:billing.confirm"),
    ("pending", "say:A-text-to-the-number-ending-in--is-on-its-way wait:10 go:billing.confirm"),
    ("refused", f"say:We-are-sorry {ASK}"),
    ("needed", ASK),
    ("unable", f"say:We-are-sorry {OTHERWISE}"),
    ("delivered", GOODBYE),
]


@pytest.mark.parametrize(("text", "said"), TEXTED)
def test_what_a_caller_hears_who_said_yes(acme: Flow, text: engine.Text, said: str) -> None:
    assert told(engine.texted(acme, acme.branches["billing"], 0, Heard("1", text=text))) == said


EXITS = [
    (ToQueue("q"), "queue:q>billing.queued.otherwise"),
    (ToNumber("+14155550199"), "dial:+14155550199.otherwise"),
    (ToSip("sip:a@b"), "dial:sip:a@b.otherwise"),
    (ToUrl("https://x.example/"), "out:https://x.example/"),
    (ToMenu("menu"), "go:menu."),
    (ToGoodbye(Words("Bye")), "say:Bye hangup"),
    (ToStudio(), NOBODY),
]


@pytest.mark.parametrize(("way", "said"), EXITS, ids=lambda value: type(value).__name__)
def test_every_way_on(acme: Flow, way: object, said: str) -> None:
    branch = replace(acme.branches["billing"], otherwise=way)  # type: ignore[arg-type]
    flow = replace(acme, branches={**acme.branches, "billing": branch})
    assert told(engine.answer(flow, Step("billing", "answer"), Heard()).script) == said


def test_the_way_back_to_studio_tells_why(acme: Flow) -> None:
    branch = replace(acme.branches["billing"], otherwise=ToStudio())
    flow = replace(acme, branches={"billing": branch})
    studio = Heard(from_studio=True)
    assert told(engine.answer(flow, Step("billing", "answer"), studio).script) == "studio:silent."
    assert (
        told(engine.answer(flow, Step("billing", "answer", 2), replace(studio, key="9")).script)
        == "studio:declined.key"
    )
    failed = replace(studio, key="1", text="refused")
    assert told(engine.texted(flow, branch, 0, failed)) == "say:We-are-sorry ask:1 ask:2 go:billing.failed"
    assert told(engine.answer(flow, Step("billing", "failed"), studio).script) == "studio:failed.cannot_text"


def _menus(acme: Flow, **ways: str) -> Flow:
    """Acme with the menus of `ways`, each of which leads to a place when nobody presses a key."""
    made = {name: replace(acme.menus["menu"], name=name, otherwise=ToMenu(to)) for name, to in ways.items()}
    return replace(acme, menus={**acme.menus, **made})


# The menus, where the call is, and the way to a person when neither prompts nor rows are to be had
WITHOUT_WORDS = [
    ("a branch", {}, "billing", OTHERWISE),
    ("a menu that leads out", {}, "menu", "queue:front>menu.queued.otherwise"),
    ("a menu on its way to one", {"one": "two", "two": "menu"}, "one", "queue:front>menu.queued.otherwise"),
    ("a menu on its way to a branch", {"one": "billing"}, "one", OTHERWISE),
    ("a menu that leads to itself", {"menu": "menu"}, "menu", OTHERWISE),
    ("two that lead to each other", {"one": "two", "two": "one"}, "two", OTHERWISE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ways", "at", "said"), [case[1:] for case in WITHOUT_WORDS], ids=[c[0] for c in WITHOUT_WORDS]
)
def test_the_way_to_a_person_leaves_the_menus(acme: Flow, ways: dict[str, str], at: str, said: str) -> None:
    assert told(engine.to_a_person(_menus(acme, **ways), Step(at), Heard())) == said


def test_where_every_way_leads_to_a_menu_the_caller_is_told(acme: Flow) -> None:
    flow = _menus(acme, menu="menu")
    circling = {name: replace(branch, otherwise=ToMenu("menu")) for name, branch in flow.branches.items()}
    flow = replace(flow, branches=circling)
    assert told(engine.to_a_person(flow, Step("billing", "answer"), Heard())) == NOBODY
    assert told(engine.to_a_person(flow, Step("menu"), Heard(from_studio=True))) == "studio:error.server"
