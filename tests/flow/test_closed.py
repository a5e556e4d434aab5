"""Out of hours: what is heard, what the steps hold on to, and what `check` finds of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.flow import engine, graph, twiml
from ivr.flow.engine import Answer, Heard
from ivr.flow.load import load
from ivr.flow.model import Branch, Flow, Recording, ToGoodbye, ToQueue
from ivr.flow.script import Enqueue, GoTo, Listen, Step
from ivr.flow.twiml import Caller
from ivr.flow.words import Words
from ivr.sandbox.town import ROOT
from tests.flow.pasted import unmended

GOOD = """\
name: Acme
timezone: America/New_York
sender: {sms: "+1 415 555 0111"}
numbers: {"+1 415 555 0100": menu}
hours: Mon-Fri 08:00-20:00
fallback: {say: Goodbye.}
menu:
  say: Press 1 or 2.
  press: {1: billing, 2: claims}
  otherwise: {queue: front}
branches:
  billing:
    offer: Press 1, we are here.
    greeting: "{{ brand }} here. Reply STOP to opt out."
    otherwise: {queue: billing}
    closed:
      offer: We are closed. Press 1, and we answer {{ opens }}.
      greeting: "{{ brand }}: we answer {{ opens }}. Reply STOP to opt out."
      otherwise: {say: "We are here {{ opens }}, {{ caller }}."}
  claims:
    offer: Press 1.
    greeting: "{{ brand }} here. Reply STOP to opt out."
    otherwise: {queue: claims}
"""
CLOSES = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)  # Monday, 20:00 in New York
OPENS = int(datetime(2026, 3, 3, 13, 0, tzinfo=UTC).timestamp())
BEFORE, AFTER = CLOSES - timedelta(minutes=1), CLOSES + timedelta(minutes=1)


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    file = tmp_path_factory.mktemp("flows") / "acme.yaml"
    file.write_text(GOOD, encoding="utf-8")
    loaded = load([file])
    assert [str(finding) for finding in loaded.findings] == []
    return loaded.flows["acme"]


def offer(answer: Answer) -> tuple[str, Step]:
    listen = next(verb for verb in answer.script if isinstance(verb, Listen))
    assert isinstance(listen.prompt, Words)
    return listen.prompt.text, listen.then


def accepted(flow: Flow, step: Step, now: datetime) -> Branch:
    branch = engine.answer(flow, step, Heard("1", now=now)).accepts
    assert branch
    return branch


def test_as_when_open_until_the_last_minute(flow: Flow) -> None:
    for step, key in ((Step("billing"), ""), (Step("menu", "choose"), "1")):
        heard = offer(engine.answer(flow, step, Heard(key, now=BEFORE)))
        assert heard == ("Press 1, we are here.", Step("billing", "answer"))
    assert offer(engine.answer(flow, Step("billing"), Heard()))[0] == "Press 1, we are here.", "no clock, no closing"


def test_closed_from_the_minute_it_closes(flow: Flow) -> None:
    answer = engine.answer(flow, Step("menu", "choose"), Heard("1", now=CLOSES))
    assert offer(answer) == (
        "We are closed. Press 1, and we answer tomorrow at 8 AM.", Step("billing", "answer", until=OPENS),
    )  # fmt: skip
    assert answer.offers and answer.offers.until == OPENS


def test_the_offer_that_was_heard_decides(flow: Flow) -> None:
    open_step = offer(engine.answer(flow, Step("billing"), Heard(now=BEFORE)))[1]
    assert accepted(flow, open_step, AFTER) is flow.branches["billing"]
    assert engine.answer(flow, open_step, Heard("", now=AFTER)).script == (
        Enqueue("billing", Step("billing", "queued")),
    )
    closed_step = offer(engine.answer(flow, Step("billing"), Heard(now=AFTER)))[1]
    for now in (AFTER, datetime.fromtimestamp(OPENS + 60, UTC)):
        assert accepted(flow, closed_step, now).greeting.text.startswith("Acme: we answer")


# how long after the closed offer it is accepted, what the greeting says of the opening
SAID = [(0, "tomorrow at 8 AM"), (3 * 60 + 58, "tomorrow at 8 AM"), (4 * 60, "at 8 AM"), (13 * 60, "at 8 AM")]


@pytest.mark.parametrize(("minutes", "said"), SAID)
def test_one_promise_said_as_it_is_true_then(flow: Flow, minutes: int, said: str) -> None:
    step = offer(engine.answer(flow, Step("billing"), Heard(now=AFTER)))[1]
    greeting = accepted(flow, step, AFTER + timedelta(minutes=minutes)).greeting
    assert greeting.spoken({}) == f"Acme: we answer {said}. Reply STOP to opt out."


STEPS = [
    Step("billing", "answer", until=OPENS),
    Step("billing", "number", until=OPENS),
    Step("billing", "right", until=OPENS),
    Step("billing", "confirm", until=OPENS),
    Step("billing", "arrived", until=OPENS),
]
ALL_HEARD = [
    Heard(key, digits, text=text, number=number)
    for key, digits in (("", ""), ("1", "1"), ("2", "2"), ("4", "4155552672"))
    for text in ("sent", "pending", "refused", "needed", "unknown")
    for number in ("", "+14155552672")
]  # fmt: skip


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_later_step_holds_on_to_it(flow: Flow, step: Step) -> None:
    for heard in ALL_HEARD:
        answer = engine.answer(flow, step, heard)
        branch = answer.accepts or answer.confirms
        script = engine.texted(flow, branch, 1, heard) if branch else answer.script
        after = [
            verb.then if isinstance(verb, Listen) else verb.step for verb in script if isinstance(verb, (Listen, GoTo))
        ]
        assert all(each.until == OPENS for each in after), script
        assert not any(isinstance(verb, Enqueue) for verb in script), "its own way on"


def test_a_step_says_so_in_its_url(flow: Flow) -> None:
    script = engine.answer(flow, Step("billing"), Heard(now=AFTER)).script
    document = twiml.document(flow, script, Caller("+14155552671")).decode()
    assert f'action="/voice/acme/billing?step=answer&amp;closed={OPENS}"' in document
    assert "We are here tomorrow at 8 AM, +1(415) 555-2671." in document


def test_a_way_back_to_a_menu_begins_anew(flow: Flow) -> None:
    assert engine.answer(flow, Step("menu", until=OPENS), Heard(now=AFTER)).script[0] == Listen(
        flow.menus["menu"].say, 5, Step("menu", "choose")
    )


def test_what_is_not_said_is_as_when_open(flow: Flow) -> None:
    assert offer(engine.answer(flow, Step("claims"), Heard(now=AFTER))) == ("Press 1.", Step("claims", "answer"))
    closed = flow.branches["billing"].closed
    assert closed and (closed.fallback, closed.tries) == (ToGoodbye(Words("Goodbye.")), 2)


def test_a_closed_that_a_deploy_took_away(flow: Flow) -> None:
    assert accepted(flow, Step("claims", "answer", until=OPENS), AFTER) is flow.branches["claims"]


def test_the_way_to_a_person_knows_the_hours(flow: Flow) -> None:
    for step in (Step("billing"), Step("billing", "answer", until=OPENS)):
        assert not isinstance(engine.to_a_person(flow, step, Heard(now=AFTER))[0], Enqueue)
    assert engine.to_a_person(flow, Step("billing", "answer"), Heard(now=AFTER)) == (
        Enqueue("billing", Step("billing", "queued")),
    )


def test_ready_made_documents_are_those_of_the_open_branch(flow: Flow) -> None:
    assert b"we are here" in twiml.ready_made(flow)["billing"]


def test_the_picture_shows_both(flow: Flow) -> None:
    drawn = graph.graph(flow)
    assert [edge.label for edge in drawn.edges if "closed" in edge.label] == ["1, closed", "otherwise, closed"]


def test_the_page_s_example(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")
    example = page.split("## Opening hours\n\n```yaml\n")[1].split("```")[0]
    file = tmp_path / "acme.yaml"
    file.write_text("name: Acme\nsender: {sms: '+1 415 555 0111'}\nfallback: {say: Bye.}\n" + example)
    loaded = load([file])
    assert loaded.findings == ()
    answer = engine.enter(loaded.flows["acme"], loaded.flows["acme"].branches["billing"], Heard(now=AFTER))
    assert offer(answer)[0] == "We are closed. Press 1 and we will text you, and answer tomorrow at 8 AM."


def read(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    text = GOOD
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    file = tmp_path / "acme.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_brand_s_closed_is_every_branch_s(tmp_path: Path) -> None:
    own = "closed: {otherwise: {queue: night}, offer: {play: 'https://a.example/1.mp3'}}\n"
    file = read(tmp_path, ("fallback:", own + "fallback:"), ("  claims:\n", "  claims:\n    hours: 24/7\n"))
    flow = load([file]).flows["acme"]
    billing, claims = flow.branches["billing"], flow.branches["claims"]
    assert billing.closed and isinstance(billing.closed.offer, Words), "its own, and nothing of the brand's"
    assert claims.closed and (claims.closed.offer, claims.closed.otherwise) == (
        Recording("https://a.example/1.mp3"),
        ToQueue("night"),
    )
    assert claims.hours and claims.hours.is_open(AFTER)


CLAIMS = "  claims:\n    offer: Press 1.\n"
CLOSED = "    closed:\n"

# what it is, the changes, the findings without the file's name
FINDINGS = [
    ("a bad day", [("Mon-Fri 08", "Mon-Fry 08")], ["5:8: error: hours: 'Fry' is no day; did you mean Fri?"]),
    ("a bad time", [("20:00", "25:00")], ["5:8: error: hours: 25:00 is no time; write 00:00 to 24:00"]),
    ("spans that overlap", [("08:00-20:00", "08:00-12:00, 11:00-20:00")], ["5:8: error: hours: Mon 08:00-12:00 overlaps with what begins at 11:00"]),
    ("an end before its begin", [("08:00-20:00", "20:00-19:00")], ["5:8: error: hours: 20:00-19:00 ends before it begins"]),
    ("a list", [("hours: Mon-Fri 08:00-20:00", "hours: [a]")], ["5:8: error: hours: expected opening times, found a list"]),
    ("no open", [("hours: Mon-Fri 08:00-20:00", "hours:\n  holidays: [US]")], ["6:3: error: open is missing; hours needs it"]),
    ("an unknown country", [("hours: Mon-Fri 08:00-20:00", "hours: {open: 24/7, holidays: [UX]}")], ["5:32: error: holidays: 'UX' is nowhere whose holidays are known; write a country's two letters"]),
    ("an unknown region", [("hours: Mon-Fri 08:00-20:00", "hours: {open: 24/7, holidays: [US, GB-XX]}")], ["5:36: error: holidays: 'GB-XX' is nowhere whose holidays are known; allowed: GB, GB-ENG, GB-NIR, GB-SCT, GB-WLS"]),
    ("a bad date", [("hours: Mon-Fri 08:00-20:00", "hours: {open: 24/7, dates: {2026-02-30: closed}}")], ["5:29: error: '2026-02-30' is no date; write one like 2026-12-24"]),
    ("bad times of a date", [("hours: Mon-Fri 08:00-20:00", "hours: {open: 24/7, dates: {2026-02-28: shut}}")], ["5:41: error: 2026-02-28: 'shut' is no time of a day; write one like 08:00-12:00, or closed"]),
    ("a misspelt key", [("hours:", "hour:")], ["5:1: error: hour: unknown key; did you mean hours?"]),
    ("closed without hours", [("hours: Mon-Fri 08:00-20:00\n", "")], ["15:5: error: closed: without hours it is never heard; add hours beside it, or on the brand"]),
    ("the brand's closed without hours", [("hours: Mon-Fri 08:00-20:00\n", "closed: {}\n"), (CLOSED, "    hours: 24/7\n" + CLOSED), (CLAIMS, CLAIMS)], []),
    ("opens elsewhere", [("Press 1, we are here.", "Press 1, {{ opens }}.")], ["13:12: error: offer: opens: only the texts of `closed` know when it opens; say it there"]),
    ("opens in a menu", [("Press 1 or 2.", "Press 1 or 2 {{ opens }}.")], ["8:8: error: say: opens: only the texts of `closed`"]),
    ("a branch's sla in the brand's closed", [("fallback:", "closed: {offer: 'Press 1 {{ sla }}.'}\nfallback:")], ["6:17: error: offer: sla: unknown template variable; allowed: agent_hours, brand, caller, opens"]),
    ("an unknown variable", [("answer {{ opens }}.\n", "answer {{ open }}.\n")], ["17:14: error: offer: open: unknown template variable; did you mean opens?"]),
    ("an unknown menu", [('{say: "We are here {{ opens }}, {{ caller }}."}', "{menu: men}")], ["19:25: error: men: unknown menu; did you mean menu?"]),
    ("a menu without a way out", [("{queue: front}", "{menu: menu}"), ("{1: billing, 2: claims}", "{1: billing}"), ('{say: "We are here {{ opens }}, {{ caller }}."}', "{menu: menu}")], ["7:1: error: menu: a menu without a way out"]),
    ("a return to Studio", [('{say: "We are here {{ opens }}, {{ caller }}."}', "{studio: return}")], ["19:27: error: studio: return where a number leads (billing)"]),
    ("an offer without its key", [("Press 1, and we", "We")], ["17:14: warning: offer: does not say its key; say that 1 accepts"]),
    ("the brand's offer without a branch's key", [("fallback:", "closed:\n  offer: Press 1.\nfallback:"), (CLAIMS, "  claims:\n    accept: 3\n    offer: Press 3.\n")], ["7:10: warning: offer: does not say its key; say that 3 accepts"]),
    ("a greeting that is long with its opening only", [(": we answer {{ opens }}.", ": " + "w" * 108 + " {{ opens }}.")], ["18:17: warning: greeting: 2 SMS segments (166 characters); one segment takes 160"]),
    ("a greeting without opt-out words", [("we answer {{ opens }}. Reply STOP to opt out.", "we answer {{ opens }}.")], ["18:17: warning: greeting: does not say how to opt out"]),
    ("a way on that can fail", [("fallback: {say: Goodbye.}\n", ""), ("{queue: front}", "{say: x}"), ("{queue: billing}", "{say: x}"), ("{queue: claims}", "{say: x}"), ('{say: "We are here {{ opens }}, {{ caller }}."}', "{queue: q}")], ["18:7: warning: otherwise: a queue can be full, and no fallback follows"]),
    ("a promise out of hours", [(CLOSED, "    sla: 5 minutes\n" + CLOSED), ("and we answer {{ opens }}.\n", "within {{ sla }}.\n")], ["18:14: warning: offer: promises an answer within 5 minutes out of hours; say {{ opens }} instead"]),
    ("a promise that holds out of hours, too", [("Press 1, we are here.", "Press 1, {{ sla }}."), (CLOSED, "    sla: 5 minutes\n" + CLOSED), ("      offer: We are closed. Press 1, and we answer {{ opens }}.\n", "")], ["17:5: warning: closed: billing's offer promises an answer within 5 minutes out of hours, too; write one that says {{ opens }}"]),
    ("another language", [("name:", "language: es-US\nname:"), ("{say: \"We are here {{ opens }}, {{ caller }}.\"}", "{say: x}"), ("we answer {{ opens }}. Reply", "Reply"), ("Press 1, and", "Oprima 1, and")], ["18:14: warning: offer: {{ opens }} is said in English, the brand's language is es-US"]),
    ("an sla that only closed mentions", [(CLOSED, "    sla: 5 minutes\n" + CLOSED), ("and we answer {{ opens }}.\n", "{{ opens }} and then within {{ sla }}.\n")], []),
    ("a branch called closed", [("2: claims", "2: closed"), ("  claims:", "  closed:")], []),
    ("hours alone", [(GOOD[GOOD.index(CLOSED):GOOD.index("  claims:")], "")], []),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), [c[1:] for c in FINDINGS], ids=[c[0] for c in FINDINGS])
def test_a_finding(tmp_path: Path, changes: list[tuple[str, str]], expected: list[str]) -> None:
    file = read(tmp_path, *changes)
    found = [str(finding).removeprefix(f"{file}:") for finding in load([file]).findings]
    assert len(found) == len(expected), found
    for line, beginning in zip(found, expected, strict=True):
        assert line.startswith(beginning), found


@pytest.mark.parametrize("changes", [c[1] for c in FINDINGS], ids=[c[0] for c in FINDINGS])
def test_a_hint_mends_its_finding(tmp_path: Path, changes: list[tuple[str, str]]) -> None:
    assert unmended(read(tmp_path, *changes)) == []
