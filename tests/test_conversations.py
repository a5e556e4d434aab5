"""The text becomes a conversation: the consumer writes, an agent answers, over real HTTP with the simulated desk."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ivr.cli.main import main
from ivr.clients.failure import SendError
from ivr.flow.load import load_directory
from ivr.sandbox.conversations import Conversation
from ivr.sandbox.town import ROOT
from tests.desks import CHANGE, MESSAGE, SENDER, Talking, brand, said, talking
from tests.doors import ACCOUNT_SID, CALLER, SECRET_KEY

FLOWS = load_directory(ROOT / "flows").flows
LINE = "[IVR deflection, billing, called 09:22 EST, reply promised by 09:32]"
REJOIN = "We are continuing in this thread. How can we help?"


@pytest.fixture
def here(database_url: str) -> Iterator[Talking]:
    with talking(database_url, FLOWS) as built:
        yield built


def test_the_whole_trip(here: Talking) -> None:
    here.accepts()
    here.writes("My bill is wrong")
    here.works()
    (conversation,) = here.desk.conversations
    assert (conversation.skill, conversation.campaign) == ("1234", None)
    assert here.at_desk() == [f"{LINE}\nMy bill is wrong"]
    assert conversation.profile["authenticatedData"]["lp_sdes"] == [
        {
            "type": "ctmrinfo",
            "info": {
                "ctype": "ivr-deflection",
                "socialId": "CA00000000000000000000000000000001",
                "companyBranch": "billing",
                "accountName": "Acme Air",
            },
        },
        {"type": "personal", "personal": {"contacts": [{"phone": "+1(415) 555-2671"}]}},
    ]
    assert len(conversation.ext_consumer_id) == 32
    assert "415" not in conversation.ext_consumer_id
    here.answers("Hello, I am looking at it.")
    answer = here.doors.twilio.sent[-1]
    assert (answer["to"], answer["sender"], answer["body"]) == (
        "+1(415) 555-2671",
        SENDER,
        "Hello, I am looking at it.",
    )
    assert here.states("inbound") == ["sent"]
    assert here.doors.rows("SELECT state, skill, branch FROM conversations") == [("open", "1234", "billing")]


def test_the_worker_is_woken_when_a_text_has_its_answer(here: Talking) -> None:
    """Awake before, it takes Python's lock from the thread that answers."""
    here.accepts()
    here.doors.runtime.bell.wait(0)
    form = {"MessageSid": "SM1", "AccountSid": ACCOUNT_SID, "From": CALLER, "To": SENDER, "Body": "My bill is wrong"}
    answer = here.doors.post("/messages", form)
    assert not here.doors.runtime.bell.wait(0)
    answer.close()
    assert here.doors.runtime.bell.wait(0)


def test_a_second_text_joins_the_conversation(here: Talking) -> None:
    here.accepts()
    here.writes("one")
    here.works()
    here.writes("two", MessagingServiceSid="")
    here.works()
    assert here.at_desk() == [f"{LINE}\none", "two"]
    assert len(here.desk.conversations) == 1


# days between the greeting and the text, and the skill that it goes to
WINDOW = [("a day later", 1, "1234"), ("at its end", 29.99, "1234"), ("after it", 31, "9999")]


@pytest.mark.parametrize(("days", "skill"), [case[1:] for case in WINDOW], ids=[case[0] for case in WINDOW])
def test_how_long_a_reply_belongs_to_the_deflection(database_url: str, tmp_path: Path, days: float, skill: str) -> None:
    flow = brand(tmp_path, change=lambda data: data.update(skill="9999"))
    with talking(database_url, {"acme": flow}) as here:
        here.accepts()
        here.doors.clock.pass_(days=days)
        here.writes("Hello?")
        here.works()
        assert here.conversation.skill == skill
        assert ("IVR deflection" in here.at_desk()[0]) is (skill == "1234")


def test_a_text_that_no_call_explains_goes_to_the_brand_s_skill(here: Talking) -> None:
    here.writes("Hello?")
    here.works()
    assert here.conversation.skill == "-1", "acme names none: any"
    assert here.at_desk() == ["Hello?"]


def test_campaign_engagement_and_no_line(database_url: str, tmp_path: Path) -> None:
    desk = {"liveperson": {"campaign": "111", "engagement": "222"}, "context_line": "no"}
    flow = brand(tmp_path, change=lambda data: data.update(desk=desk))
    with talking(database_url, {"acme": flow}) as here:
        here.accepts()
        here.writes("Hello")
        here.works()
        assert (here.conversation.campaign, here.conversation.engagement) == ("111", "222")
        assert here.conversation.skill == "1234"
        assert here.at_desk() == ["Hello"]


BODIES = ["", None, "x" * 1600, "naïve \U0001f468‍\U0001f469‍\U0001f467 \n two", " a ", 'quote " and \\ back']


@pytest.mark.parametrize("body", BODIES)
def test_words_arrive_byte_for_byte(here: Talking, body: str | None) -> None:
    here.writes(body)
    here.works()
    assert here.at_desk() == [body or "[an empty text]"]


def test_strange_senders_are_consumers_too(here: Talking) -> None:
    for consumer in ("whatsapp:US.1234", "384387", "whatsapp:+14155552671"):
        here.writes("hello", consumer=consumer)
    here.works()
    assert here.at_desk() == ["hello"] * 3
    assert len({one.lp_consumer_id for one in here.desk.conversations}) == 3


# LivePerson's days, one a request to open or to publish, and how long everything takes to settle
DAYS = [
    "busy,up",
    "busy-bare,busy,up",
    "error,up",
    "gateway,up",
    "cut,up",
    "expired,up",
    "stranger,up",
    "expired,stranger,up",
    "drop,up",
    "empty,up",
    "up,error,up",
    "up,drop,up",
    "up,empty,up",
    "up,cut,up",
    "up,closed,up",
    "drop,drop,up",
    "up,expired,up",
    "up,stranger,drop,up",
    "late,up",
    "up,late,up",
]


@pytest.mark.parametrize("days", DAYS)
def test_on_a_bad_day_every_text_arrives_once_and_in_order(here: Talking, days: str) -> None:
    here.desk.delays = {"late": 0.3}
    here.accepts()
    here.desk.set_days(days)
    for body in ("one", "two", "three"):
        here.writes(body)
    for _ in range(14):
        here.works(10, rounds=3)
    words = [text.removeprefix(f"{LINE}\n") for text in here.at_desk()]
    assert words == ["one", "two", "three"]
    assert {state for (state,) in here.doors.rows("SELECT state FROM messages WHERE kind = 'inbound'")} == {"sent"}
    opened = [one for one in here.desk.conversations if one.texts]
    assert len(opened) == 1


def test_the_desk_away_for_ten_minutes(here: Talking) -> None:
    """Virtual minutes. Everything written meanwhile arrives once, in order, soon after the desk is back."""
    here.desk.set_days("gateway")
    for minute in range(10):
        here.writes(f"text {minute}")
        here.works(60, rounds=1)
    here.desk.set_days("up")
    for _ in range(60):
        here.works(10, rounds=2)
    assert here.at_desk() == [f"text {minute}" for minute in range(10)]


def test_an_answer_that_is_lost_with_its_echo_is_repeated_and_marked(here: Talking) -> None:
    here.writes("one")
    here.works()
    here.desk.webhooks = "lost"
    here.desk.set_days("drop,up")
    here.writes("two")
    here.works(1)
    assert here.states("inbound") == ["sent", "unclear"]
    here.works(21)
    assert here.at_desk() == ["one", "two", "two"]
    assert here.doors.rows("SELECT maybe_twice FROM messages ORDER BY created_at, id")[1][0]


def test_an_echo_settles_what_nobody_knew(here: Talking) -> None:
    here.writes("one")
    here.works()
    here.desk.set_days("drop,up")
    here.writes("two")
    here.works()
    assert here.states("inbound") == ["sent", "sent"]
    here.works(60)
    assert here.at_desk() == ["one", "two"]


def test_an_opening_whose_answer_is_lost_is_learned_from_the_webhook(here: Talking) -> None:
    here.desk.set_days("drop,up")
    here.writes("one")
    here.works()
    assert here.doors.rows("SELECT state FROM conversations") == [("open",)]
    here.works(5)
    assert here.at_desk() == ["one"]
    assert len(here.desk.conversations) == 1


def test_what_a_closed_conversation_does_not_take_goes_to_a_new_one_with_the_skill_that_holds_then(
    here: Talking,
) -> None:
    here.accepts("billing")
    here.writes("one")
    here.works()
    here.desk.webhooks = "lost"  # nobody tells us that it is closed
    here.desk.close(here.conversation.id)
    here.desk.webhooks = "prompt"
    here.accepts("bookings")
    here.works()
    here.writes("two")
    here.works()
    first, second = here.desk.conversations
    assert (first.skill, second.skill) == ("1234", "5678")
    assert [text for _, _, text in second.texts] == ["[IVR deflection, bookings, called 09:22 EST]\ntwo"]
    assert not any("called again" in text for text in here.at_desk()), "nobody is there to be told"
    assert here.doors.rows("SELECT state FROM conversations ORDER BY started_at, id DESC") == [("closed",), ("open",)]


def test_after_a_close_the_next_text_opens_anew(here: Talking) -> None:
    here.accepts()
    here.writes("one")
    here.works()
    here.desk.close(here.conversation.id)
    here.desk.flush()
    assert here.doors.rows("SELECT state FROM conversations") == [("closed",)]
    here.writes("two")
    here.works()
    assert len(here.desk.conversations) == 2
    assert [text.splitlines()[-1] for text in here.at_desk()] == ["one", "two"]


@pytest.mark.parametrize("told", ["open", "open and closed"])
def test_what_is_told_late_of_the_conversation_before_is_not_the_new_one(here: Talking, told: str) -> None:
    """The desk refused a text, since its conversation is closed; then comes the webhook that it was opened."""
    changes: list[dict[str, Any]] = []

    def opened(conversation: Conversation) -> None:
        changes.append(conversation.as_change())
        if len(changes) == 2:
            here.told(CHANGE, changes[0])
            if told == "open and closed":
                here.told(CHANGE, here.desk.conversations[0].as_change())

    here.desk.webhooks, here.desk.opened = "lost", opened
    here.desk.set_days("up,closed,up")
    for body in ("one", "two", "three"):
        here.writes(body)
    for _ in range(14):
        here.works(10, rounds=3)
    assert [text.splitlines()[-1] for text in here.at_desk()] == ["one", "two", "three"]
    assert here.states("inbound") == ["sent"] * 3
    assert len(here.desk.conversations) == 2
    second = here.conversation.id
    assert here.doors.rows("SELECT desk_id FROM conversations WHERE state = 'open'") == [(second,)]


@pytest.mark.parametrize("how", ["prompt", "doubled", "shuffled", "late", "foreign", "forged"])
def test_fifty_rapid_texts_both_ways(here: Talking, how: str) -> None:
    """However LivePerson's webhooks fare, each answer is one text, in order; each text is one event, in order."""
    here.writes("begin")
    here.works()
    here.desk.webhooks = how
    expected = [f"answer {number}" for number in range(50)]
    for number in range(50):
        here.writes(f"text {number}")
        here.desk.say(here.conversation.id, expected[number])
    here.works(0, rounds=3)
    here.desk.clock.advance(4 if how == "shuffled" else 3600)
    here.desk.flush()
    for _ in range(8):
        here.works(2, rounds=20)
    assert here.at_desk() == ["begin", *(f"text {number}" for number in range(50))]
    assert here.texted() == expected


def test_answers_that_overtook_one_another_are_put_in_order(here: Talking) -> None:
    here.writes("begin")
    here.works()
    name = here.conversation.id
    for sequence in (7, 5, 6, 5):
        assert here.told(MESSAGE, said(name, sequence, f"number {sequence}")).status_code == 200
    here.works()
    assert here.texted() == [], "what is earlier may still come"
    here.works(1)
    assert here.texted() == ["number 5", "number 6", "number 7"]


def test_what_is_said_before_the_id_is_known_is_kept(here: Talking) -> None:
    here.desk.set_days("error")
    here.writes("one")
    here.works()
    assert here.told(MESSAGE, said("c-early", 0, "An agent will be with you")).status_code == 200
    assert here.doors.rows("SELECT count(*) FROM early_events") == [(1,)]
    ((ours,),) = here.doors.rows("SELECT desk_consumer FROM conversations")
    here.told("cqm.ExConversationChangeNotification", _change("c-early", ours, 5))
    here.works(2)
    assert here.texted() == ["An agent will be with you"]
    assert here.doors.rows("SELECT desk_id, state FROM conversations") == [("c-early", "open")]


def _change(conversation: str, consumer: str, at: int, **details: Any) -> dict[str, Any]:
    participants = [{"id": consumer, "role": "CONSUMER"}]
    told = {"state": "OPEN", "stage": "OPEN", "metaDataLastUpdateTs": at, "participants": participants, **details}
    return {"type": "UPSERT", "result": {"convId": conversation, "conversationDetails": told}}


def test_events_of_nobody_we_know_leave_nothing(here: Talking) -> None:
    here.writes("one")
    here.works()
    assert here.told(MESSAGE, said("c-other", 3, "hello")).status_code == 200
    assert here.told("cqm.ExConversationChangeNotification", _change("c-other", "f" * 64, 5)).status_code == 200
    here.works(5)
    assert here.texted() == []
    assert here.doors.rows("SELECT count(*) FROM early_events") == [(0,)]


def test_an_older_change_says_nothing(here: Talking) -> None:
    here.writes("one")
    here.works()
    name, kind = here.conversation.id, "cqm.ExConversationChangeNotification"
    moment = int(here.doors.clock.now.timestamp() * 1000)
    here.told(kind, _change(name, "x", moment + 9000, skillId="77"))
    here.told(kind, _change(name, "x", moment + 8000, state="CLOSE", stage="CLOSE"))
    assert here.doors.rows("SELECT state, skill FROM conversations") == [("open", "77")]
    here.told(kind, _change(name, "x", moment + 9500, state="CLOSE", stage="CLOSE"))
    assert here.doors.rows("SELECT state FROM conversations") == [("closed",)]


def test_what_agents_say_among_themselves_stays_there(here: Talking) -> None:
    here.writes("one")
    here.works()
    name = here.conversation.id
    here.told(MESSAGE, said(name, 5, "This may be fraud", messageAudience="AGENTS_AND_MANAGERS"))
    here.told(MESSAGE, said(name, 6, "Hello", messageAudience="ALL"))
    here.works(2)
    assert here.texted() == ["Hello"]


def test_whatsapp_to_a_number_that_no_brand_has_it_on_is_nobody_s(here: Talking) -> None:
    here.writes("hello", consumer="whatsapp:+14155552671", To=f"whatsapp:{SENDER}")
    here.works()
    assert here.desk.conversations == []
    assert here.doors.rows("SELECT brand, sender FROM messages") == [(None, f"whatsapp:{SENDER}")]


def test_a_conversation_that_an_agent_takes_up_again(here: Talking) -> None:
    here.writes("one")
    here.works()
    name, kind = here.conversation.id, "cqm.ExConversationChangeNotification"
    moment = int(here.doors.clock.now.timestamp() * 1000)
    here.told(kind, _change(name, "x", moment + 9000, state="CLOSE", stage="CLOSE"))
    assert here.doors.rows("SELECT state FROM conversations") == [("closed",)]
    here.told(kind, _change(name, "x", moment + 9500))
    assert here.doors.rows("SELECT state FROM conversations") == [("open",)]
    here.writes("two")
    here.works()
    assert here.at_desk() == ["one", "two"]
    assert len(here.desk.conversations) == 1


def test_one_taken_up_again_without_our_hearing_of_it(here: Talking) -> None:
    """To us it is closed; the desk says that the consumer has one open: it is the last one."""
    here.writes("one")
    here.works()
    kind, moment = "cqm.ExConversationChangeNotification", int(here.doors.clock.now.timestamp() * 1000)
    here.told(kind, _change(here.conversation.id, "x", moment + 9000, state="CLOSE", stage="CLOSE"))
    here.writes("two")
    here.works()
    assert here.at_desk() == ["one", "two"]
    here.answers("Here I am")
    assert here.texted() == ["Here I am"]
    assert len(here.desk.conversations) == 1


def test_a_text_that_waits_for_a_new_one_goes_where_the_agent_takes_up_again(here: Talking) -> None:
    here.writes("one")
    here.works()
    name, kind = here.conversation.id, "cqm.ExConversationChangeNotification"
    moment = int(here.doors.clock.now.timestamp() * 1000)
    here.told(kind, _change(name, "x", moment + 9000, state="CLOSE", stage="CLOSE"))
    here.desk.set_days("error,up")
    here.writes("two")
    here.works(rounds=1)
    here.told(kind, _change(name, "x", moment + 9500))
    here.works(2)
    assert here.at_desk() == ["one", "two"]
    assert sorted(here.doors.rows("SELECT state FROM conversations")) == [("closed",), ("open",)]


def test_a_late_echo_settles_no_later_text_in_the_same_words(here: Talking) -> None:
    here.writes("begin")
    here.works()
    here.desk.webhooks = "lost"
    here.desk.set_days("drop,up")
    here.writes("ok")
    here.works(1)
    here.works(21)
    assert here.at_desk() == ["begin", "ok", "ok"], "sent again, since nobody could tell"
    here.desk.set_days("drop,up")
    here.writes("ok")
    here.works(1, rounds=1)
    name = here.conversation.id
    role = {"originatorMetadata": {"id": "x", "role": "CONSUMER"}}
    here.told(MESSAGE, said(name, 1, "ok", **role))
    assert here.states("inbound") == ["sent", "sent", "unclear"]
    here.told(MESSAGE, said(name, 3, "ok", **role))
    assert here.states("inbound") == ["sent", "sent", "sent"]


def test_a_text_that_the_desk_is_known_not_to_have_is_settled_by_no_echo(here: Talking) -> None:
    here.writes("begin")
    here.works()
    here.desk.set_days("busy,up")
    here.writes("ok")
    here.works(rounds=1)
    role = {"originatorMetadata": {"id": "x", "role": "CONSUMER"}}
    here.told(MESSAGE, said(here.conversation.id, 9, "ok", **role))
    assert here.states("inbound") == ["sent", "due"]


def test_a_long_answer_stays_before_the_next_one_of_the_same_moment(here: Talking) -> None:
    here.writes("one")
    here.works()
    name = here.conversation.id
    here.told(
        MESSAGE, said(name, 5, "A" * 1600 + "B" * 1600 + "C"), said(name, 6, "after it", serverTimestamp=1772461325005)
    )
    here.works(2)
    assert [text[0] for text in here.texted()] == ["A", "B", "C", "a"]


def test_a_backlog_of_days_is_texted_in_its_order(here: Talking) -> None:
    here.writes("one")
    here.works()
    name, now = here.conversation.id, int(here.doors.clock.now.timestamp() * 1000)
    for sequence, hours in ((5, 30), (6, 20), (7, 0)):
        told = said(name, sequence, f"{hours} h ago", serverTimestamp=now - hours * 3_600_000)
        assert here.told(MESSAGE, told).status_code == 200
    here.works(2)
    assert here.texted() == ["30 h ago", "20 h ago", "0 h ago"]


def test_delivered_and_then_read_are_both_shown(here: Talking) -> None:
    here.writes("one")
    here.works()
    here.answers("Hello")
    path = here.doors.twilio.sent[0]["callback"].removeprefix("https://ivr.example.com")
    for status in ("delivered", "read", "read", "delivered"):
        here.doors.post(path, {"MessageSid": f"SM{1:032x}", "MessageStatus": status})
        here.works()
    sent = [asked["body"]["body"].get("event", {}) for asked in here.desk.requests if "send" in asked["path"]]
    assert [event["status"] for event in sent if event.get("type") == "AcceptStatusEvent"] == ["ACCEPT", "READ"]


def test_a_receipt_that_a_survey_does_not_take_bothers_nobody(here: Talking, logged: io.StringIO) -> None:
    here.writes("one")
    here.works()
    here.answers("Hello")
    here.desk.survey(here.conversation.id, "How did we do?")
    here.desk.flush()
    path = here.doors.twilio.sent[0]["callback"].removeprefix("https://ivr.example.com")
    here.doors.post(path, {"MessageSid": f"SM{1:032x}", "MessageStatus": "delivered"})
    here.works(2)
    assert "text_dead" not in logged.getvalue()
    assert here.doors.rows("SELECT count(*) FROM messages WHERE kind = 'receipt'") == [(0,)]


def test_a_conversation_that_was_never_opened_keeps_nobody_s_words(here: Talking) -> None:
    here.desk.set_days("refuse")
    here.writes("one")
    here.works()
    assert here.states("inbound") == ["dead"]
    assert here.doors.rows("SELECT state FROM conversations") == [("closed",)]
    here.told(MESSAGE, said("c-other", 3, "hello"))
    assert here.doors.rows("SELECT count(*) FROM early_events") == [(0,)]


def test_a_brand_that_was_renamed_still_hears_its_consumers(database_url: str) -> None:
    acme = FLOWS["acme"]
    with talking(database_url, {"acme": acme}) as here:
        here.accepts()
    with talking(database_url, {"acmeair": replace(acme, id="acmeair")}, 2 * 10**6) as here:
        here.doors.clock.pass_(minutes=5)
        here.writes("Hello?", sid="SM" + "7" * 32)
        here.works()
        assert here.at_desk() == ["Hello?"]


def test_a_brand_whose_desk_changes_kind_begins_anew_at_the_present_one(database_url: str, tmp_path: Path) -> None:
    webhook = {"webhook": {"url": "https://desk.example.com", "secret_env": "ACME_DESK_SECRET"}}
    own = brand(tmp_path, change=lambda data: data.update(desk=webhook))
    with talking(database_url, {"acme": own}) as here:
        here.writes("one", sid="SM" + "1" * 32)
        assert here.doors.rows("SELECT desk, state FROM conversations") == [("webhook", "wanted")]
    with talking(database_url, FLOWS, 2 * 10**6) as here:
        here.doors.clock.pass_(seconds=1)
        here.writes("two", sid="SM" + "2" * 32)
        here.works()
        assert here.at_desk() == ["one", "two"]
        states = here.doors.rows("SELECT desk, state FROM conversations ORDER BY desk")
        assert states == [("liveperson", "open"), ("webhook", "closed")]


def test_a_caller_of_a_brand_whose_desk_left_is_greeted_anew(database_url: str, tmp_path: Path) -> None:
    with talking(database_url, FLOWS) as here:
        here.accepts()
        here.writes("one")
        here.works()
    native = brand(tmp_path, change=lambda data: data.update(desk={"native": {}}))
    with talking(database_url, {"acme": native}, 2 * 10**6) as here:
        here.doors.calls = 50
        here.accepts("bookings")
        assert here.texted()[-1].startswith("Thank you for texting Acme Air")


def test_one_brand_s_broken_desk_holds_up_no_other_brand(database_url: str, tmp_path: Path) -> None:
    webhook = {"webhook": {"url": "https://desk.example.com", "secret_env": "ACME_DESK_SECRET"}}
    own = brand(tmp_path, change=lambda data: data.update(desk=webhook))
    other = replace(FLOWS["acme"], id="other", numbers={})
    with talking(database_url, {"acme": own, "other": other}) as here:
        here.accepts()
        here.writes("to acme")
        here.works()
        here.doors.clock.pass_(minutes=1)
        here.doors.voice("/voice/other/bookings?step=answer", Digits="1")
        here.writes("to the other")
        here.works()
        assert [text.splitlines()[-1] for text in here.at_desk()] == ["to the other"]


def test_automatic_messages_and_a_transfer(here: Talking) -> None:
    here.writes("one")
    here.works()
    here.desk.auto(here.conversation.id, "All agents are busy.")
    here.desk.transfer(here.conversation.id, "5678")
    here.desk.flush()
    here.works(2)
    assert here.texted() == ["All agents are busy."]
    assert here.doors.rows("SELECT skill FROM conversations") == [("5678",)]


def test_a_survey_is_answered_in_its_own_dialog(here: Talking) -> None:
    here.writes("one")
    here.works()
    here.desk.survey(here.conversation.id, "How did we do, 1 to 5?")
    here.desk.flush()
    here.works(2)
    assert here.texted() == ["How did we do, 1 to 5?"]
    here.writes("5")
    here.works()
    assert here.at_desk() == ["one", "5"]
    assert len(here.desk.conversations) == 1
    here.desk.close(here.conversation.id)
    here.desk.flush()
    here.writes("Another thing")
    here.works()
    assert len(here.desk.conversations) == 2


def test_a_long_answer_is_several_texts_in_order(here: Talking) -> None:
    here.writes("one")
    here.works()
    here.answers("word " * 700)
    assert [len(text) for text in here.texted()] == [1599, 1599, 299]
    assert " ".join(here.texted()) == ("word " * 700).strip()


# whose number, and whether the picture goes with the text
FILES = [("North America", CALLER, True), ("elsewhere", "+447400123456", False)]


@pytest.mark.parametrize(("number", "with_it"), [case[1:] for case in FILES], ids=[case[0] for case in FILES])
def test_an_agent_s_picture(here: Talking, number: str, with_it: bool) -> None:
    here.writes("Where is it?", consumer=number)
    here.works()
    here.desk.file(here.conversation.id, "/1/map.png", "Here:")
    here.desk.flush()
    here.works(2)
    assert [sent["body"] for sent in here.doors.twilio.sent][:1] == ["Here:"]
    sent = here.doors.twilio.sent[-1]
    (url,) = sent["media"] if with_it else [sent["body"]]
    assert len(here.doors.twilio.sent) == (1 if with_it else 2)
    assert url.startswith("https://ivr.example.com/files/")
    fetched = here.doors.client.get(url.removeprefix("https://ivr.example.com"))
    assert (fetched.status_code, fetched.mimetype, fetched.data[:4]) == (200, "image/png", b"\x89PNG")


def test_a_consumer_s_picture_reaches_the_desk_as_a_link(here: Talking) -> None:
    media = {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/m/1", "MediaContentType0": "image/jpeg"}
    here.writes("Look", **media)
    here.works()
    words, link = here.at_desk()[0].splitlines()
    assert words == "Look"
    assert link.startswith("[image/jpeg: https://ivr.example.com/files/")


@pytest.mark.parametrize("path", ["/files/x/0/y", "/files/" + "0" * 32 + "/0/" + "f" * 32, "/files/x/-1/y"])
def test_a_link_that_nobody_was_given(here: Talking, path: str) -> None:
    assert here.doors.client.get(path).status_code == 404


def test_who_calls_again_goes_on_in_the_open_conversation(here: Talking) -> None:
    here.accepts()
    here.writes("one")
    here.works()
    here.doors.clock.pass_(minutes=18)
    here.accepts("bookings")
    here.works()
    assert here.texted()[-1] == REJOIN
    assert here.at_desk()[-1] == "[The consumer called again, branch bookings, 09:40 EST]"
    assert len(here.desk.conversations) == 1


def test_a_closed_conversation_is_not_rejoined(here: Talking) -> None:
    here.accepts()
    here.writes("one")
    here.works()
    here.desk.close(here.conversation.id)
    here.desk.flush()
    here.accepts("bookings")
    assert here.texted()[-1].startswith("Thank you for texting Acme Air")


def test_stop_in_a_conversation(here: Talking) -> None:
    here.accepts()
    here.writes("one")
    here.works()
    here.writes("STOP")
    here.works()
    assert here.at_desk()[1:] == [
        "STOP",
        "[The consumer opted out of texts (STOP): answers do not reach them any more.]",
    ]
    sent = len(here.texted())
    here.answers("Are you there?")
    here.works()
    assert len(here.texted()) == sent, "no text follows a STOP"
    assert here.at_desk()[-1] == "[The last answer did not reach the consumer.]"
    here.writes("START")
    here.works()
    here.answers("Welcome back")
    assert here.texted()[-1] == "Welcome back"


@pytest.mark.parametrize("word", ["Yes", "Yes.", "HELP", "Info", "Help!"])
def test_words_that_a_person_may_answer(here: Talking, word: str) -> None:
    """Nobody had stopped: YES opens nothing again, and an agent may help."""
    here.accepts()
    here.writes(word)
    here.works()
    assert here.at_desk() == [f"{LINE}\n{word}"]


@pytest.mark.parametrize(("word", "opens"), [("START", True), ("yes", True), ("Yes.", False), ("Start!", False)])
def test_what_opens_again_after_a_stop(here: Talking, word: str, opens: bool) -> None:
    """As Twilio reads it: we promise no text that it would refuse."""
    here.writes("STOP")
    here.writes(word)
    heard = here.doors.voice("/voice/acme/billing?step=answer", Digits="1")
    assert heard.words.startswith("We are texting") is opens


@pytest.mark.parametrize("word", ["STOP", "START", "Arret"])
def test_a_keyword_alone_begins_no_conversation(here: Talking, word: str) -> None:
    here.writes(word, **({"OptOutType": "STOP"} if word == "Arret" else {}))
    here.works()
    assert here.desk.conversations == []
    assert here.states("inbound") == ["received"]


PLEASE = [
    ("please stop texting me", True),
    ("Don’t text me again", True),
    ("remove me from this list", True),
    ("no more messages!!", True),
    ("I want to opt out", True),
    ("When does the bus stop?", False),
    ("My card was stopped", False),
    ("Can you text me the address?", False),
]


@pytest.mark.parametrize(("body", "flagged"), PLEASE)
def test_a_wish_in_free_words_is_flagged_and_not_acted_on(here: Talking, body: str, flagged: bool) -> None:
    here.writes(body)
    here.works()
    assert here.at_desk()[0] == body
    assert len(here.at_desk()) == (2 if flagged else 1)
    here.answers("Understood.")
    assert here.texted() == ["Understood."]


# what is written to a short code, OptOutType, and what we answer ourselves
SHORT = [
    ("HELP", "", "Acme Air: write here and an agent will answer. Reply STOP to opt out."),
    ("STOP", "", "Acme Air: you get no more texts from us. Reply START to get them again."),
    ("STOP", "STOP", None),
    ("HELP", "HELP", None),
    ("START", "", None),
]


@pytest.mark.parametrize(("word", "kind", "answer"), SHORT)
def test_keywords_to_a_short_code(database_url: str, tmp_path: Path, word: str, kind: str, answer: str | None) -> None:
    service = "MG" + "0" * 32
    flow = brand(tmp_path, change=lambda data: data["sender"].update(sms=service))
    with talking(database_url, {"acme": flow}) as here:
        more = {"OptOutType": kind} if kind else {}
        here.writes(word, To="384387", MessagingServiceSid=service, **more)
        here.works()
        assert here.texted() == ([answer] if answer else [])


def test_an_answer_that_fails_by_status_is_told_to_the_agent(here: Talking) -> None:
    here.writes("one")
    here.works()
    here.answers("Hello")
    path = here.doors.twilio.sent[0]["callback"].removeprefix("https://ivr.example.com")
    form = {"MessageSid": f"SM{1:032x}", "MessageStatus": "undelivered", "ErrorCode": "30003"}
    for _ in range(2):
        assert here.doors.post(path, form).status_code == 200
    here.works()
    assert here.at_desk()[1:] == ["[The last answer did not reach the consumer (Twilio error 30003).]"]


def test_an_answer_refused_at_once_is_told_to_the_agent(here: Talking) -> None:
    here.writes("one")
    here.works()
    here.doors.twilio.fails = [SendError("x", permanent=True, code=21610)]
    here.answers("Hello")
    here.works()
    assert here.at_desk()[1:] == ["[The last answer did not reach the consumer (Twilio error 21610).]"]
    assert here.doors.rows("SELECT learned_from FROM opt_outs") == [("21610",)]


# Twilio's status, and the receipt that the agent sees
RECEIPTS = [("delivered", "ACCEPT"), ("read", "READ")]


@pytest.mark.parametrize(("status", "receipt"), RECEIPTS)
def test_an_answer_that_arrived_is_shown_to_the_agent(here: Talking, status: str, receipt: str) -> None:
    here.writes("one")
    here.works()
    here.answers("Hello")
    path = here.doors.twilio.sent[0]["callback"].removeprefix("https://ivr.example.com")
    here.doors.post(path, {"MessageSid": f"SM{1:032x}", "MessageStatus": status})
    here.works()
    event = here.desk.requests[-1]["body"]["body"]["event"]
    assert (event["type"], event["status"], event["sequenceList"]) == ("AcceptStatusEvent", receipt, [1])


def test_what_liveperson_refuses_for_good_is_visible_and_a_person_s(
    here: Talking, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here.writes("one")
    here.works()
    here.desk.set_days("refuse,up")
    here.writes("two")
    here.writes("three")
    here.works()
    assert here.states("inbound") == ["sent", "dead", "sent"], "a dead one no longer blocks"
    assert '"event": "text_dead"' in logged.getvalue()
    monkeypatch.setenv("DATABASE_URL", here.doors.runtime.settings.database_url)
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    assert main(["worker", "--list"]) == 0
    line = capsys.readouterr().out
    assert "dead" in line
    assert "error 400" in line
    assert main(["worker", "--requeue", line.split()[0]]) == 0
    here.works()
    assert here.at_desk() == ["one", "three", "two"]


def test_what_consumers_wrote_is_tried_for_72_hours(here: Talking) -> None:
    here.desk.set_days("gateway")
    here.writes("one")
    for _ in range(71):
        here.works(3600, rounds=1)
    assert here.states("inbound") == ["due"]
    for _ in range(2):
        here.works(3600, rounds=1)
    assert here.states("inbound") == ["dead"]


def test_without_liveperson_s_settings_texts_wait(database_url: str) -> None:
    nothing = dict.fromkeys(("LIVEPERSON_ACCOUNT", "LIVEPERSON_CLIENT_ID", "LIVEPERSON_CLIENT_SECRET"), "")
    with talking(database_url, FLOWS, 10**6, **nothing) as here:
        here.writes("one")
        here.works()
        assert here.states("inbound") == ["due"]
    with talking(database_url, FLOWS, 2 * 10**6) as here:
        here.doors.clock.pass_(hours=1)
        here.works()
        assert here.at_desk() == ["one"]


@pytest.mark.parametrize("desk", [None, {"native": {}}], ids=["none", "native"])
def test_a_brand_whose_desk_is_elsewhere_only_writes_texts_down(
    database_url: str, tmp_path: Path, desk: dict[str, Any] | None
) -> None:
    flow = brand(tmp_path, change=lambda data: data.update(desk=desk) if desk else data.pop("desk"))
    with talking(database_url, {"acme": flow}) as here:
        here.accepts()
        here.writes("one")
        here.works()
        assert here.states("inbound") == ["received"]
        assert here.desk.requests == []


def test_two_brands_of_one_sender_have_a_conversation_each(database_url: str) -> None:
    other = replace(FLOWS["acme"], id="other", name="Other", numbers={})
    with talking(database_url, {"acme": FLOWS["acme"], "other": other}) as here:
        here.accepts()
        here.writes("to acme")
        here.works()
        here.doors.clock.pass_(minutes=1)
        assert here.doors.voice("/voice/other/bookings?step=answer", Digits="1").names
        here.writes("to the other")
        here.works()
        assert [one.skill for one in here.desk.conversations] == ["1234", "5678"]


def test_consent_is_on_record_and_can_be_taken_along(
    here: Talking, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here.accepts()
    here.accepts("bookings", "+14155552672")
    here.writes("STOP")
    monkeypatch.setenv("DATABASE_URL", here.doors.runtime.settings.database_url)
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    assert main(["export", "consents"]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head == "accepted_at,brand,branch,call_sid,caller,number,keyed_in,accepted_key,prompt_version,prompt"
    assert first.startswith("2026-03-02T14:22:00+00:00,acme,billing,CA")
    assert ",+14155552671,+14155552671,False,1," in first
    assert first.endswith(
        '"Instead of waiting on the line, you can also connect with us by text message. Press 1 to gain back your time and start messaging with us now, or stay on the line."'
    )
    assert "Press 1 and we will text you" in second
    assert main(["export", "opt-outs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "number,sender,stopped,changed_at,learned_from",
        "+14155552671,+14155550111,True,2026-03-02T14:22:00+00:00,text",
    ]


def test_a_replayed_text_is_one_event_at_the_desk(here: Talking) -> None:
    for _ in range(3):
        here.writes("one", sid="SM" + "9" * 32)
        here.works()
    assert here.at_desk() == ["one"]


def test_what_the_log_says_has_no_words_and_no_numbers(here: Talking, logged: io.StringIO) -> None:
    here.accepts()
    here.writes("My secret bill")
    here.works()
    here.answers("An answer of mine")
    log = logged.getvalue()
    assert "secret" not in log
    assert "An answer" not in log
    assert "5552671" not in log
    assert [json.loads(line)["event"] for line in log.splitlines()].count("text_at_desk") == 1
