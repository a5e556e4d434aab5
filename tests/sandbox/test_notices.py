"""LivePerson's webhooks: signed, in order, tried again, and on their bad days."""

import json
from concurrent.futures import ThreadPoolExecutor

from ivr.sandbox.clock import Clock
from ivr.sandbox.notices import signature
from tests.sandbox.connector import SECRET, Town


def test_the_signature_is_liveperson_s() -> None:
    body = (
        '{"kind":"notification","body":{"changes":[{"sequence":2,"originatorId":"agent-1","originatorMetadata":'
        '{"id":"agent-1","role":"ASSIGNED_AGENT"},"serverTimestamp":1700000000000,"event":{"type":"ContentEvent",'
        '"message":"Hello","contentType":"text/plain"},"conversationId":"11111111-2222-4333-8444-555555555555",'
        '"dialogId":"11111111-2222-4333-8444-555555555555"}]},"type":"ms.MessagingEventNotification"}'
    )
    assert signature("test-secret-0123456789", body.encode()) == "sha1=kgVt1tAR+pXpBv/00CgJAag36/A="


def test_emoji_are_on_the_wire_as_themselves(town: Town) -> None:
    conversation = town.conversation(town.headers())
    town.desk.say(conversation, "Hello 🙂")
    assert town.texts() == ["Hello 🙂"]
    assert "Hello 🙂".encode() in town.got[-1][0]


def test_fifty_rapid_texts_both_ways_keep_their_order(town: Town) -> None:
    headers = town.headers()
    conversation = town.conversation(headers)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(lambda: [town.desk.say(conversation, f"agent {number}") for number in range(50)])
        pool.submit(lambda: [town.say(headers, conversation, f"consumer {number}") for number in range(50)])
    texts, kept = town.texts(), town.desk.conversation(conversation).texts
    assert texts == [text for _, _, text in kept]
    assert [sequence for sequence, _, _ in kept] == list(range(100))
    for who in ("agent", "consumer"):
        assert [text for text in texts if text.startswith(who)] == [f"{who} {number}" for number in range(50)]


def test_a_request_never_waits_for_a_webhook(town: Town) -> None:
    headers = town.headers()
    town.go_on.clear()
    conversation = town.conversation(headers)
    assert town.say(headers, conversation, "hi").status_code == 200
    assert town.got == []
    town.go_on.set()
    assert town.texts() == ["hi"]


def agent_says(town: Town, count: int) -> list[str]:
    conversation = town.conversation(town.headers())
    town.desk.flush()
    town.got.clear()
    texts = [f"text {number}" for number in range(count)]
    for text in texts:
        town.desk.say(conversation, text)
    town.desk.flush()
    return texts


def test_webhooks_lost(town: Town) -> None:
    town.desk.webhooks = "lost"
    agent_says(town, 3)
    town.desk.clock.run_out()
    assert town.texts() == []
    assert len(town.desk.conversations[0].texts) == 3


def test_webhooks_doubled(town: Town) -> None:
    town.desk.webhooks = "doubled"
    texts = agent_says(town, 3)
    assert town.texts() == [text for text in texts for _ in range(2)]


def test_webhooks_shuffled(town: Town) -> None:
    town.desk.webhooks = "shuffled"
    texts = agent_says(town, 20)
    town.desk.clock.advance(3)
    assert town.texts() != texts
    assert sorted(town.texts()) == sorted(texts)


def test_webhooks_late(town: Town) -> None:
    town.desk.webhooks = "late"
    texts = agent_says(town, 3)
    town.desk.clock.advance(3599)
    assert town.texts() == []
    town.desk.clock.advance(1)
    assert town.texts() == texts


def test_webhooks_forged(town: Town) -> None:
    town.desk.webhooks = "forged"
    town.statuses = [403, 200] * 20
    texts = agent_says(town, 12)
    good = [hdrs.get("X-Liveperson-Signature") == signature(SECRET, raw) for raw, hdrs in town.got]
    assert good == [False, True] * 13
    events = [json.loads(raw)["body"]["changes"][0].get("event", {}) for raw, _ in town.got]
    assert [event["message"] for event in events[3::2]] == texts
    assert not {event["message"] for event in events[2::2]} & set(texts)
    town.desk.clock.run_out()
    assert len(town.got) == 26  # a forger's are not tried again


def test_webhooks_foreign(town: Town) -> None:
    town.desk.webhooks = "foreign"
    texts = agent_says(town, 3)
    [ours] = town.desk.conversations
    town.webhooks()
    mine = [raw.decode() for raw, _ in town.got if ours.id in raw.decode()]
    theirs = [raw.decode() for raw, _ in town.got if ours.id not in raw.decode()]
    assert len(mine) == len(theirs) == 4
    for own, other in ((mine, ours.lp_consumer_id in mine[0]), (theirs, ours.lp_consumer_id not in "".join(theirs))):
        assert other
        events = [json.loads(raw)["body"]["changes"][0].get("event", {}) for raw in own]
        assert [event["message"] for event in events if event] == texts


def moments(town: Town, text: str) -> list[tuple[float, int]]:
    return [(post["at"], post["status"]) for post in town.desk.sent if text.encode() in post["body"]]


def test_counted_retries_come_every_thirty_seconds_and_let_others_pass(town: Town) -> None:
    town.desk.retries, town.desk.max_retries = "count", 3
    conversation = town.conversation(town.headers())
    town.desk.flush()
    town.statuses = [500, 200, 204]
    town.desk.say(conversation, "second")  # its joining is refused
    town.desk.say(conversation, "third")
    town.desk.flush()
    assert town.texts() == ["second", "third"]
    town.statuses = [500]
    town.desk.clock.advance(30)
    town.desk.clock.run_out()
    assert moments(town, "third") == [(0.0, 204), (30.0, 200)]
    assert moments(town, "ASSIGNED_AGENT")[0] == (0.0, 500)


def test_counted_retries_end(town: Town) -> None:
    town.desk.retries, town.desk.max_retries = "count", 2
    conversation = town.conversation(town.headers())
    town.desk.flush()
    town.statuses = [200, 500, 500, 500]
    town.desk.say(conversation, "lost")
    town.desk.flush()
    town.desk.clock.run_out()
    assert moments(town, "lost") == [(0.0, 500), (30.0, 500), (60.0, 500)]


def test_retries_with_a_time_to_live_keep_the_order(town: Town) -> None:
    conversation = town.conversation(town.headers())
    town.desk.flush()
    town.statuses = [200, 503, 503, 503]
    for text in ("one", "two", "three"):
        town.desk.say(conversation, text)
    town.desk.flush()
    town.desk.clock.run_out()
    assert moments(town, "one") == [(0.0, 503), (2.0, 503), (6.0, 503), (14.0, 200)]
    assert town.texts() == ["one", "one", "one", "one", "two", "three"]
    other = town.conversation(town.headers("bob"))
    town.statuses = [200, 200, 503]
    town.desk.say(other, "held")
    town.desk.flush()
    town.desk.say(conversation, "another conversation goes on")
    assert town.texts()[-2:] == ["held", "another conversation goes on"]


def test_a_time_to_live_runs_out(town: Town) -> None:
    town.desk.retention = 1000.0
    conversation = town.conversation(town.headers())
    town.desk.flush()
    town.statuses = [200, *[500] * 10]
    town.desk.say(conversation, "lost")
    town.desk.flush()
    town.desk.clock.run_out()
    assert [at for at, _ in moments(town, "lost")] == [0, 2, 6, 14, 30, 62, 126, 254, 510, 810]
    town.statuses = []
    town.desk.say(conversation, "arrives")
    assert town.texts()[-1] == "arrives"


def test_an_app_that_is_away(town: Town) -> None:
    conversation = town.conversation(town.headers())
    town.desk.flush()
    here, town.desk.webhook_url = town.desk.webhook_url, "http://127.0.0.1:9/desk/liveperson"
    town.desk.say(conversation, "hi")
    town.desk.flush()
    assert moments(town, "ASSIGNED_AGENT") == [(0.0, 0)]
    town.desk.clock.advance(600)
    town.desk.webhook_url = here
    town.desk.clock.run_out()
    assert town.texts() == ["hi"]


def test_another_scene_s_clock(town: Town) -> None:
    conversation = town.conversation(town.headers())
    town.desk.flush()
    town.statuses = [200, 503]
    town.desk.say(conversation, "one")
    town.desk.flush()
    town.desk.clock = Clock()
    town.desk.say(conversation, "two")
    assert town.texts() == ["one", "one", "two"]


def test_a_desk_that_was_stopped_still_answers(town: Town) -> None:
    headers = town.headers()
    conversation = town.conversation(headers)
    town.desk.stop()
    assert len(town.got) == 1  # what was due is sent
    assert town.say(headers, conversation, "hi").status_code == 200
    town.desk.clock.run_out()
    assert town.texts() == []
