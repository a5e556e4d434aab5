"""Who the consumer is: asked, answered, passed to the desk and nowhere else, over real HTTP with the simulated desk."""

import io
import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.cli.main import main
from ivr.clients import liveperson_sdes
from ivr.clients.failure import SendError
from ivr.clients.liveperson_sdes import Profile
from ivr.flow import identify_shapes
from ivr.flow.identify import ANSWERED, Taken
from ivr.sandbox.conversations import Conversation
from ivr.store import identities
from ivr.store.messages import Inbound
from ivr.worker import Worker
from tests.databases import new_database, sqlalchemy_url
from tests.desks import SENDER, Talking, brand, talking
from tests.doors import ACCOUNT_SID, CALLER, opened_doors
from tests.test_own_desk import SECRET, OwnDesk, _served

LINE = "[IVR deflection, billing, called 09:22 EST, reply promised by 09:32]"
ISSUE = f"{LINE}\nMy bill is wrong"
WHY = "So that Acme Air can look up your bill, may we ask two quick questions? Reply SKIP to any."
FIRST, SECOND = "What is your customer number? (8 digits)", "What is your e-mail address?"
OPENING = f"{WHY}\n{FIRST}"
AGAIN = f"Sorry, we could not read that as a number of 8 digits. {FIRST} Or reply SKIP."
THANKS = "Thank you, we answer within 10 minutes."
IDENTIFY: dict[str, Any] = {
    "why": "So that {{ brand }} can look up your bill, may we ask two quick questions? Reply SKIP to any.",
    "questions": [
        {"ask": FIRST, "answer": "8 digits", "attribute": "customerId"},
        {"ask": SECOND, "answer": "email", "attribute": "email"},
    ],
    "thanks": "Thank you, we answer within {{ sla }}.",
}
BOTH = "[The consumer was asked who they are. Given, in the consumer's details: customerId, email.]"
ONE = "[The consumer was asked who they are. Given, in the consumer's details: customerId. Not given: email.]"
NONE = "[The consumer was asked who they are. Not given: customerId, email.]"


@contextmanager
def asking(database_url: str, directory: Path, **identify: Any) -> Iterator[Talking]:
    def asks(data: dict[str, Any]) -> None:
        data["branches"]["billing"]["identify"] = {**IDENTIFY, **identify}

    with talking(database_url, {"acme": brand(directory, change=asks)}) as here:
        here.accepts()
        yield here


@pytest.fixture
def before(database_url: str, tmp_path: Path) -> Iterator[Talking]:
    with asking(database_url, tmp_path) as here:
        yield here


@pytest.fixture
def after(database_url: str, tmp_path: Path) -> Iterator[Talking]:
    with asking(database_url, tmp_path, when="after") as here:
        yield here


def says(here: Talking, body: str, seconds: float = 30, **more: Any) -> None:
    """The consumer writes, some time after what came last, and everything that is due is done."""
    here.works(seconds, rounds=3)
    here.writes(body, **more)
    here.works()


def asked(here: Talking) -> list[str]:
    """What was texted after the greeting."""
    return here.texted()[1:]


def details(here: Talking) -> dict[str, Any]:
    """What the agent sees beside the conversation."""
    found: dict[str, Any] = {}
    for sde in here.conversation.profile["authenticatedData"]["lp_sdes"]:
        found |= sde.get("info") or sde["personal"]
    return found


def kept(here: Talking) -> str:
    """All that the database holds, as text."""
    tables = ("messages", "conversations", "identities", "early_events", "taken_events", "deflections", "calls")
    return json.dumps([here.doors.rows(f"SELECT * FROM {table}") for table in tables], default=str)


def test_asked_before_the_desk_is_reached(before: Talking, logged: io.StringIO) -> None:
    says(before, "My bill is wrong")
    assert asked(before) == [OPENING]
    assert before.desk.conversations == [], "the desk waits for the answers"
    says(before, "1234 5678")
    assert asked(before) == [OPENING, SECOND]
    assert before.desk.conversations == []
    says(before, "Ann@Example.com")
    assert asked(before) == [OPENING, SECOND, THANKS]
    assert before.at_desk() == [ISSUE, BOTH], "the issue first, no answer as text"
    assert (before.conversation.skill, details(before)["customerId"]) == ("1234", "12345678")
    assert details(before)["contacts"] == [{"phone": "+1(415) 555-2671", "email": "Ann@example.com"}]
    assert details(before)["companyBranch"] == "billing"
    bodies = before.doors.rows("SELECT body, state FROM messages WHERE kind = 'inbound' ORDER BY created_at")
    assert bodies == [("My bill is wrong", "sent"), (ANSWERED, "received"), (ANSWERED, "received")]
    assert not _anywhere(logged.getvalue()), "the log"
    before.answers("Hello Ann.")
    assert before.texted()[-1] == "Hello Ann."
    before.desk.close(before.conversation.id)
    before.desk.flush()
    assert not _anywhere(kept(before)), "kept no longer than the conversation"


def test_asked_while_the_desk_is_reached(after: Talking, logged: io.StringIO) -> None:
    says(after, "My bill is wrong")
    assert (asked(after), after.at_desk()) == ([OPENING], [ISSUE])
    assert "customerId" not in details(after)
    says(after, "It's 12345678, thanks")
    assert details(after)["customerId"] == "12345678", "at once"
    says(after, "ann@example.com")
    assert asked(after) == [OPENING, SECOND, THANKS]
    assert after.at_desk() == [ISSUE, BOTH]
    assert (details(after)["customerId"], details(after)["socialId"]) == ("12345678", "CA" + "0" * 31 + "1")
    assert details(after)["contacts"][0]["email"] == "ann@example.com"
    assert not _anywhere(logged.getvalue())
    after.desk.close(after.conversation.id)
    after.desk.flush()
    assert not _anywhere(kept(after))


def _anywhere(text: str) -> bool:
    return any(value in text.lower() for value in ("12345678", "1234 5678", "ann@example"))


# what is written after the issue, when, what was texted besides the opening, what the desk has, and customerId
BEFORE = [
    ("skipped", ["skip", " Skip. "], [SECOND, THANKS], [ISSUE, NONE], None),
    ("one skipped", ["12345678", "I'd like to skip this question, please"], [SECOND, THANKS], [ISSUE, ONE], "12345678"),
    ("all skipped", ["SKIP ALL"], [], [ISSUE, NONE], None),
    ("a slip, then right", ["1234567", "12345678", "skip"], [AGAIN, SECOND, THANKS], [ISSUE, "1234567", ONE], "12345678"),
    ("two texts that are none", ["1234567", "my dog ate it"], [AGAIN], [ISSUE, "1234567", "my dog ate it", NONE], None),
    ("a person at once", ["agent"], [], [ISSUE, "agent", NONE], None),
    ("a person in a sentence", ["Can I talk to a HUMAN?"], [], [ISSUE, "Can I talk to a HUMAN?", NONE], None),
    ("a person after an answer", ["12345678", "representative!"], [SECOND], [ISSUE, "representative!", ONE], "12345678"),
    ("an empty text", [""], [], None, None),
    ("HELP", ["HELP"], [], None, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "texted", "at_desk", "customer"), [c[1:] for c in BEFORE], ids=[c[0] for c in BEFORE]
)
def test_what_a_text_is_taken_for(
    before: Talking, texts: list[str], texted: list[str], at_desk: list[str] | None, customer: str | None
) -> None:
    says(before, "My bill is wrong")
    for body in texts:
        says(before, body)
    assert asked(before) == [OPENING, *texted]
    if at_desk is None:
        assert before.desk.conversations == [], "still waiting"
        return
    assert before.at_desk() == at_desk
    assert details(before).get("customerId") == customer


def test_who_asks_for_a_person_first_is_not_asked(before: Talking) -> None:
    says(before, "I need a person", seconds=0)
    assert (asked(before), before.at_desk()) == ([], [f"{LINE}\nI need a person"])


def test_silence_reaches_the_desk_all_the_same(before: Talking) -> None:
    says(before, "My bill is wrong")
    before.works(178)
    assert before.desk.conversations == []
    before.works(3)
    assert before.at_desk() == [ISSUE]
    says(before, "12345678", seconds=600)
    assert details(before)["customerId"] == "12345678", "late, and still no text for the agent"
    assert asked(before) == [OPENING, SECOND]
    says(before, "ann@example.com", seconds=3700)
    assert before.at_desk() == [ISSUE, "ann@example.com"], "after an hour it is a text like others"


def test_silence_after_an_answer_takes_it_along(before: Talking) -> None:
    says(before, "My bill is wrong")
    says(before, "12345678", seconds=100)
    before.works(175)
    assert before.desk.conversations == [], "each question has its time"
    before.works(10)
    assert (before.at_desk(), details(before)["customerId"]) == ([ISSUE], "12345678")


def test_half_of_the_promise_is_the_most(database_url: str, tmp_path: Path) -> None:
    with asking(database_url, tmp_path, wait="10 minutes") as here:
        says(here, "My bill is wrong", seconds=0)
        says(here, "12345678", seconds=200)
        here.works(95)
        assert here.desk.conversations == []
        here.works(10)
        assert here.at_desk() == [ISSUE]


def test_the_wait_survives_a_restart(before: Talking) -> None:
    """It is a row: whichever process works then finds it."""
    says(before, "My bill is wrong")
    before.worker = Worker(before.doors.runtime)
    before.works(100)
    assert before.desk.conversations == []
    before.worker = Worker(before.doors.runtime)
    before.works(90)
    assert before.at_desk() == [ISSUE]


def test_an_agent_s_words_end_the_asking(after: Talking) -> None:
    says(after, "My bill is wrong")
    after.answers("Hello, what is your customer number?")
    says(after, "12345678")
    assert after.at_desk() == [ISSUE, "12345678"], "the agent asked, the agent reads it"
    assert asked(after) == [OPENING, "Hello, what is your customer number?"]


def test_an_automatic_message_is_no_agent(after: Talking) -> None:
    says(after, "My bill is wrong")
    after.desk.auto(after.conversation.id, "An agent will be with you.")
    after.desk.flush()
    says(after, "12345678")
    assert asked(after) == [OPENING, "An agent will be with you.", SECOND]


def test_a_question_that_is_not_sent_yet_is_not_sent_any_more(after: Talking) -> None:
    after.doors.twilio.fails = [SendError("busy", code=20429, retry_after=60.0)]
    says(after, "My bill is wrong")
    after.answers("Hello.")
    after.works(120)
    assert asked(after) == [OPENING, "Hello."], "tried once, while Twilio was busy"
    assert after.states("question") == ["failed"]


def test_stop_ends_the_asking_and_the_desk_knows(before: Talking) -> None:
    says(before, "My bill is wrong")
    says(before, "STOP")
    assert before.at_desk()[:2] == [ISSUE, "STOP"]
    assert "opted out" in before.at_desk()[2]
    assert asked(before) == [OPENING]
    says(before, "12345678")
    assert before.at_desk()[-1] == "12345678"


def test_who_opted_out_is_not_asked(before: Talking) -> None:
    says(before, "STOP")
    says(before, "My bill is wrong")
    assert (asked(before), before.at_desk()) == ([], [ISSUE.replace("09:32", "09:33")])


def test_texts_before_the_question_was_read_are_no_tries(before: Talking) -> None:
    says(before, "My bill is wrong")
    says(before, "very wrong", seconds=2)
    says(before, "and late", seconds=3)
    assert asked(before) == [OPENING]
    says(before, "12345678")
    says(before, "skip")
    assert before.at_desk() == [ISSUE, "very wrong", "and late", ONE]


def test_a_replay_changes_nothing(before: Talking) -> None:
    says(before, "My bill is wrong", sid="SMa")
    for sid in ("SMa", "SMb", "SMb", "SMa", "SMb"):
        says(before, "12345678" if sid == "SMb" else "My bill is wrong", sid=sid)
    assert asked(before) == [OPENING, SECOND]
    says(before, "skip", sid="SMc")
    says(before, "skip", sid="SMc")
    assert before.at_desk() == [ISSUE, ONE]


def test_a_picture_reaches_the_desk(before: Talking) -> None:
    media: dict[str, Any] = {
        "NumMedia": "1",
        "MediaUrl0": "https://api.twilio.com/m/1",
        "MediaContentType0": "image/jpeg",
    }
    says(before, "My bill is wrong")
    says(before, "12345678", **media)
    assert asked(before) == [OPENING, SECOND], "its words are an answer"
    says(before, "", **media)
    says(before, "skip")
    at_desk = before.at_desk()
    assert (at_desk[0], at_desk[-1], len(at_desk)) == (ISSUE, ONE, 4)
    assert all(text.startswith("[image/jpeg: https://ivr.example.com/files/") for text in at_desk[1:3])


def test_who_calls_again_is_not_asked_again(before: Talking) -> None:
    says(before, "My bill is wrong")
    says(before, "skip all")
    before.accepts()
    says(before, "It is wrong again")
    assert asked(before) == [OPENING, "We are continuing in this thread. How can we help?"]
    assert before.at_desk()[-1] == "It is wrong again"


def test_who_calls_again_meanwhile_is_asked_on(before: Talking) -> None:
    says(before, "My bill is wrong")
    before.accepts()
    says(before, "12345678")
    says(before, "skip")
    assert asked(before) == [OPENING, "We are continuing in this thread. How can we help?", SECOND, THANKS]
    assert before.at_desk() == [ISSUE, "[The consumer called again, branch billing, 09:22 EST]", ONE]


@pytest.mark.parametrize("desk", [{"native": {}}, None])
def test_without_a_desk_nothing_is_asked(database_url: str, tmp_path: Path, desk: Any) -> None:
    identify = {**IDENTIFY, "thanks": "Thank you."}
    flow = brand(tmp_path, change=lambda data: data.update(identify=identify, desk=desk or {"native": {}}))
    with talking(database_url, {"acme": flow if desk else replace(flow, desk=None)}) as here:
        says(here, "Hello?")
        assert here.texted() == []


def test_a_branch_without_questions_asks_none(before: Talking) -> None:
    before.accepts("bookings", caller="+14155552672")
    before.writes("My booking", consumer="+14155552672")
    before.works()
    assert before.at_desk() == ["[IVR deflection, bookings, called 09:22 EST]\nMy booking"]


def test_a_brand_s_questions_are_asked_where_no_branch_is_known(database_url: str, tmp_path: Path) -> None:
    identify = {**IDENTIFY, "thanks": "Thank you."}
    flow = brand(tmp_path, change=lambda data: data.update(identify=identify))
    with talking(database_url, {"acme": flow}) as here:
        says(here, "Hello?")
        assert here.texted() == [OPENING]
        assert flow.branches["bookings"].identify == flow.identify


def test_a_question_that_a_deploy_took_away(before: Talking, tmp_path: Path) -> None:
    says(before, "My bill is wrong")
    plain = brand(tmp_path)
    flows: Any = before.doors.runtime.listener.flows
    brands: Any = before.doors.runtime.brands
    flows["acme"] = plain
    brands["acme"] = replace(brands["acme"], flow=plain)
    says(before, "12345678")
    before.works(180)
    assert before.at_desk() == [ISSUE, "12345678"]


def test_an_abandoned_conversation_leaves_no_answers(before: Talking) -> None:
    says(before, "My bill is wrong")
    says(before, "12345678")
    assert "12345678" in kept(before), "while it is to be passed on"
    before.desk.set_days("gateway")
    for _ in range(80):
        before.works(3600, rounds=2)
    assert before.states("inbound")[0] == "dead"
    assert "12345678" not in kept(before)


def test_a_conversation_that_nobody_closes_keeps_them_for_a_week(after: Talking) -> None:
    says(after, "My bill is wrong")
    says(after, "12345678")
    after.works(6 * 86400)
    assert "12345678" in kept(after)
    after.works(86400)
    assert "12345678" not in kept(after)


DAYS = [
    "busy,up",
    "drop,up",
    "error,up",
    "up,drop,up",
    "up,error,up",
    "up,up,drop,up",
    "up,up,error,up",
    "up,up,refuse,up",
]


@pytest.mark.parametrize("days", DAYS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_on_a_bad_day_of_the_desk(database_url: str, tmp_path: Path, when: str, days: str) -> None:
    with asking(database_url, tmp_path, when=when) as here:
        here.desk.set_days(days)
        for body in ("My bill is wrong", "12345678", "skip"):
            says(here, body, seconds=40)
        for _ in range(8):
            here.works(20, rounds=3)
        assert here.at_desk()[0] == ISSUE
        if days != "up,up,refuse,up":
            assert here.at_desk() == [ISSUE, ONE]
            assert details(here)["customerId"] == "12345678"
        assert not _anywhere(" ".join(here.at_desk()))


def test_a_desk_of_one_s_own_gets_attributes(database_url: str, tmp_path: Path) -> None:
    with _served(OwnDesk()) as (desk, url):
        webhook = {"url": f"{url}/ivr", "secret_env": "ACME_DESK_SECRET", "allow_private": "yes"}
        questions = [{"ask": "Which booking?", "answer": {"pattern": r"[A-Z]{2}\d{4}"}, "attribute": "booking"}]
        identify = {**IDENTIFY, "when": "after", "thanks": "Thank you.", "questions": questions}
        flow = brand(tmp_path, change=lambda data: data.update(desk={"webhook": webhook}, identify=identify))
        with opened_doors(database_url, {"acme": flow}, None, {"acme": SECRET}) as doors:
            desk.doors = doors
            desk.writes("My booking is gone", "SMa")
            desk.works()
            assert "attributes" not in desk.asked[0]
            desk.works(20)
            desk.writes("ab1234", "SMb")
            desk.works()
            told = [(message["type"], message["text"], message.get("attributes")) for message in desk.asked[1:]]
            booking = {"booking": "AB1234"}
            note = "[The consumer was asked who they are. Given, in the consumer's details: booking.]"
            assert told == [("attributes", "", booking), ("note", note, booking)]
            conversation = desk.asked[0]["conversation"]["id"]
            assert desk.says(id="m-1", type="close", conversation=conversation) == 200
            assert doors.rows("SELECT * FROM identities") == []


def test_an_own_agent_ends_the_asking(database_url: str, tmp_path: Path) -> None:
    with _served(OwnDesk()) as (desk, url):
        webhook = {"url": f"{url}/ivr", "secret_env": "ACME_DESK_SECRET", "allow_private": "yes"}
        identify = {**IDENTIFY, "when": "after", "thanks": "Thank you."}
        flow = brand(tmp_path, change=lambda data: data.update(desk={"webhook": webhook}, identify=identify))
        with opened_doors(database_url, {"acme": flow}, None, {"acme": SECRET}) as doors:
            desk.doors = doors
            desk.writes("My bill is wrong", "SMa")
            desk.works()
            assert desk.says(id="m-1", type="text", conversation=desk.asked[0]["conversation"]["id"], text="Hi") == 200
            desk.works(20)
            desk.writes("12345678", "SMb")
            desk.works()
            assert [message["text"] for message in desk.asked] == ["My bill is wrong", "12345678"]


def test_texts_at_one_moment_are_asked_about_once(before: Talking) -> None:
    def posts(sid: str, body: str) -> int:
        # A client each, as a client is not for several threads; the app is, and is made once, as a process makes it.
        form = {"MessageSid": sid, "AccountSid": ACCOUNT_SID, "NumMedia": "0", "From": CALLER, "To": SENDER}
        client = before.doors.client.application.test_client()
        return replace(before.doors, client=client).post("/messages", form | {"Body": body}).status_code

    with ThreadPoolExecutor(8) as threads:
        firsts = [f"SMa{number}" for number in range(8)]
        assert set(threads.map(posts, firsts, [f"My bill is wrong {sid}" for sid in firsts])) == {200}
        before.works(30)
        assert asked(before) == [OPENING]
        assert set(threads.map(posts, ["SMb"] * 8, ["12345678"] * 8)) == {200}
    before.works(30)
    assert asked(before) == [OPENING, SECOND]
    says(before, "skip")
    at_desk = before.at_desk()
    assert (len(at_desk), at_desk[-1], len([text for text in at_desk if text.startswith(ISSUE)])) == (9, ONE, 1)


CONSUMERS = itertools.count(2000)
VALUE, OTHER = "12345678", "ann@example.com"
STEPS = st.sampled_from(
    [VALUE, OTHER, "skip", "Skip all", "agent", "1234567", "what?", "STOP", "HELP", "", ">", ">>", "!"]
)


@pytest.mark.parametrize("when", ["before", "after"])
def test_in_any_order_of_texts_answers_and_silence(tmp_path: Path, when: str) -> None:
    """The issue is there first, each question is asked twice at most, and every other text arrives, in order, once."""
    with new_database("sqlite", tmp_path) as url, asking(sqlalchemy_url(url), tmp_path, when=when) as here:

        @settings(max_examples=25, deadline=None, database=None)
        @given(st.lists(STEPS, max_size=8))
        def holds(steps: list[str]) -> None:
            number = f"+1415555{next(CONSUMERS)}"
            here.accepts(caller=number)
            here.writes("My bill is wrong", consumer=number)
            sent = len(here.doors.twilio.sent)
            for step in steps:
                if step == "!":
                    full = [one for one in here.desk.conversations if _phone(one) == _full(number)]
                    for one in full[-1:]:
                        here.desk.say(one.id, "Hello.")
                elif step.startswith(">"):
                    here.works(400 if step == ">>" else 5)
                else:
                    here.works(20)
                    here.writes(step, consumer=number)
            here.works(700, rounds=8)
            _holds(here, number, steps, [str(one["body"]) for one in here.doors.twilio.sent[sent:]])

        holds()


def _holds(here: Talking, number: str, steps: list[str], texted: list[str]) -> None:
    (conversation,) = [one for one in here.desk.conversations if _phone(one) == _full(number)]
    at_desk = [text for _, who, text in conversation.texts if who == "CONSUMER"]
    assert at_desk[0].endswith("My bill is wrong")
    words = [text or "[an empty text]" for text in steps if text not in ("!", ">", ">>")]
    relayed = [text for text in at_desk[1:] if not text.startswith("[") or text == "[an empty text]"]
    rest = iter(words)
    assert all(text in rest for text in relayed), "in their order, each once"
    assert not {"1234567", "what?", "agent", "STOP"} & set(words) - set(relayed)
    for question in (FIRST, SECOND):
        assert sum(question in text for text in texted) <= 2
    if "STOP" in steps and texted:
        assert here.doors.rows("SELECT stopped FROM opt_outs WHERE number = :number", number=number)
    bodies = here.doors.rows("SELECT body FROM messages WHERE number = :number AND state = 'received'", number=number)
    assert not {VALUE, OTHER} & {body for (body,) in bodies}


def _phone(conversation: Conversation) -> str:
    sdes = conversation.profile["authenticatedData"]["lp_sdes"]
    return next(str(sde["personal"]["contacts"][0]["phone"]) for sde in sdes if sde["type"] == "personal")


def _full(number: str) -> str:
    return f"+1({number[2:5]}) {number[5:8]}-{number[8:]}"


def test_a_transcript_shows_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    brand(tmp_path, change=lambda data: data["branches"]["billing"].update(identify=IDENTIFY))
    monkeypatch.setenv("FLOWS_DIR", str(tmp_path))
    texts = ["My bill is wrong", "it's 12345678", "skip"]
    assert main(["call", "acme", "billing", "--press", "1", "--text", *texts]) == 0
    said = capsys.readouterr()
    assert "12345678" not in said.out + said.err
    words = [line.split(maxsplit=2)[1:] for line in said.out.splitlines()]
    assert ["consumer", ANSWERED] in words
    assert ["desk", "opens a conversation, skill 1234"] in words
    assert [who for who, _ in words].index("consumer") < [who for who, _ in words].index("desk")


def test_the_names_that_liveperson_takes() -> None:
    client = liveperson_sdes
    assert client.INFO | client.PERSONAL | {client.EMAIL} == identify_shapes.AT_LIVEPERSON
    assert client.INFO_DATES | {client.BIRTHDAY} == identify_shapes.DATES_AT_LIVEPERSON


def test_nothing_shows_an_answer(before: Talking) -> None:
    """Not the repr of what a process holds of it."""
    says(before, "My bill is wrong")
    says(before, "12345678")
    ((conversation,),) = before.doors.rows("SELECT id FROM conversations")
    with before.doors.runtime.database.reads() as tx:
        waiting = identities.asking(tx, conversation)
    assert waiting and waiting.answers == {"customerId": "12345678"}
    held: list[object] = [waiting, Taken("answer", "12345678"), Profile(answers=waiting.answers)]
    held.append(Inbound("1", "SM1", "acme", CALLER, CALLER, "12345678", []))
    assert "12345678" not in repr(held)
