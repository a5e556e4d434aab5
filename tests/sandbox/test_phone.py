"""The simulated phone network does as Twilio does: this is what the trips' word is worth."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from flask import Flask, Response, redirect, request
from twilio.request_validator import RequestValidator
from werkzeug.serving import make_server
from werkzeug.wrappers import Response as AnyResponse

from ivr.sandbox.clock import Clock
from ivr.sandbox.phone import Call
from ivr.sandbox.transcript import Transcript
from ivr.sandbox.webhooks import Webhooks

ACCOUNT, TOKEN = "AC" + "0" * 32, "token"
Answers = dict[str, str | Callable[[], AnyResponse]]


@contextmanager
def app_that_answers(answers: Answers) -> Iterator[tuple[Webhooks, list[dict[str, str]]]]:
    """A server that answers each path with one document; what it was asked, in order."""
    app, asked = Flask("app", static_folder=None), []

    @app.post("/<path:path>")
    def answer(path: str) -> AnyResponse:
        asked.append({"path": path, "signature": request.headers["X-Twilio-Signature"], **request.form})
        found = answers[path]
        return found() if callable(found) else Response(f"<Response>{found}</Response>", mimetype="text/xml")

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.port}"
        yield Webhooks(url, url, ACCOUNT, TOKEN), asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def play(answers: Answers, keys: str = "", **how: object) -> tuple[Call, Transcript, list[dict[str, str]]]:
    clock = Clock()
    transcript = Transcript(clock)
    with app_that_answers(answers) as (webhooks, asked):
        call = Call(clock, webhooks, transcript, "+14155552671", "+14155550100", keys.split(","), **how)  # type: ignore[arg-type]
        call.play("/start")
    return call, transcript, asked


def paths(asked: list[dict[str, str]]) -> list[str]:
    return [request["path"] for request in asked]


GATHER = '<Gather action="/pressed" numDigits="1" finishOnKey=""><Say>Press</Say></Gather>'


def test_digits_go_to_the_action_and_silence_falls_through() -> None:
    answers: Answers = {"start": f"{GATHER}<Redirect>/silent</Redirect>", "pressed": "<Hangup/>", "silent": "<Hangup/>"}
    _, _, asked = play(answers, "5")
    assert paths(asked) == ["start", "pressed"]
    assert asked[1]["Digits"] == "5"
    _, _, asked = play(answers, "")
    assert paths(asked) == ["start", "silent"]
    assert "Digits" not in asked[1]


def test_silence_goes_to_the_action_when_it_asks_for_empty_results() -> None:
    gather = GATHER.replace("<Gather ", '<Gather actionOnEmptyResult="true" ')
    _, _, asked = play({"start": gather, "pressed": "<Hangup/>"}, "")
    assert asked[1]["Digits"] == ""


@pytest.mark.parametrize(
    ("attributes", "keys", "digits"),
    [
        ('numDigits="1"', "12", "1"),
        ('numDigits="1"', "#", None),
        ('finishOnKey="#"', "12#3", "12"),
        ('finishOnKey=""', "12#", "12#"),
        ('finishOnKey="*"', "1#*", "1#"),
    ],
)
def test_when_a_gather_ends(attributes: str, keys: str, digits: str | None) -> None:
    answers: Answers = {"start": f'<Gather action="/pressed" {attributes}/>', "pressed": "<Hangup/>"}
    _, _, asked = play(answers, keys)
    assert (asked[1]["Digits"] if len(asked) > 1 else None) == digits


def test_an_http_redirect_loses_the_digits() -> None:
    _, _, asked = play({"start": GATHER, "pressed": lambda: redirect("/moved", 307), "moved": "<Hangup/>"}, "5")
    assert [("Digits" in request) for request in asked] == [False, True, False]


def test_redirects_without_end_are_an_error() -> None:
    call, transcript, asked = play({"start": lambda: redirect("/start", 307)})
    assert len(asked) == 11
    assert "error 11200" in str(transcript)
    assert call.errors


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda: Response("no", 500), "11200"),
        (lambda: Response("<Response>", 200), "12100"),
        (lambda: Response("<Reply/>", 200), "12100"),
        (lambda: Response("<Response><Dance/></Response>", 200), "12200"),
        (lambda: Response(f"<Response>{' ' * 70_000}</Response>", 200), "11750"),
    ],
)
def test_bad_documents(answer: Callable[[], AnyResponse], code: str) -> None:
    call, _, _ = play({"start": answer})
    assert call.errors[0].startswith(code)


def test_time_passes_as_words_are_spoken_and_pauses_kept() -> None:
    _, transcript, _ = play({"start": '<Say>one two three four five</Say><Pause length="7"/><Say>six</Say>'})
    assert [int(event.seconds) for event in transcript.events if event.who == "ivr"] == [0, 9]
    assert str(transcript).splitlines()[1] == "00:00  ivr       one two three four five"


def test_a_queue_s_waiturl_is_asked_again_and_again() -> None:
    answers: Answers = {
        "start": '<Enqueue waitUrl="/wait" action="/left">front</Enqueue>',
        "wait": '<Say>You are number one</Say><Pause length="5"/>',
        "left": "<Hangup/>",
    }
    _, transcript, asked = play(answers)
    assert paths(asked).count("wait") >= 3
    assert asked[1]["QueuePosition"] == "1"
    assert [int(request["QueueTime"]) for request in asked if request["path"] == "wait"][:3] == [0, 6, 13]
    assert asked[-1]["QueueResult"] == "bridged"
    assert "is answered by a person" in str(transcript)


def test_a_caller_can_leave_a_queue() -> None:
    answers: Answers = {
        "start": '<Enqueue waitUrl="/wait" action="/left">front</Enqueue>',
        "wait": '<Gather action="/pressed" numDigits="1"/>',
        "pressed": "<Say>Goodbye</Say><Leave/>",
        "left": "<Hangup/>",
    }
    _, transcript, asked = play(answers, "1")
    assert paths(asked) == ["start", "wait", "pressed", "left"]
    assert asked[-1]["QueueResult"] == "leave"
    assert "Goodbye" in str(transcript)


@pytest.mark.parametrize(
    ("agents", "queue", "dial"),
    [("free", "bridged", "completed"), ("full", "queue-full", "busy"), ("nobody", "hangup", "no-answer")],
)
def test_how_queues_and_dials_end(agents: str, queue: str, dial: str) -> None:
    _, _, asked = play({"start": '<Enqueue action="/left">q</Enqueue>', "left": "<Hangup/>"}, agents=agents)
    assert asked[-1]["QueueResult"] == queue
    _, _, asked = play(
        {"start": '<Dial action="/left"><Number>+14155550199</Number></Dial>', "left": "<Hangup/>"}, agents=agents
    )
    assert asked[-1]["DialCallStatus"] == dial


def test_without_an_action_the_document_goes_on() -> None:
    _, transcript, _ = play({"start": "<Dial>+14155550199</Dial><Say>Nobody there</Say>"}, agents="nobody")
    assert transcript.said("ivr") == ["Nobody there"]


def test_every_webhook_is_signed_and_geography_is_empty() -> None:
    with app_that_answers({"start": "<Hangup/>"}) as (webhooks, asked):
        clock = Clock()
        Call(clock, webhooks, Transcript(clock), "+14155552671", "+14155550100").play("/start")
        (form,) = asked
        url = f"{webhooks.public_url}/{form.pop('path')}"
        assert RequestValidator(TOKEN).validate(url, form, form.pop("signature"))
        assert form["FromCity"] == ""
        assert form["CallStatus"] == "ringing"


def test_what_is_due_happens_in_order_while_time_passes() -> None:
    clock, seen = Clock(), []
    clock.later(5, lambda: seen.append(("b", clock.now)))
    clock.later(1, lambda: clock.later(1, lambda: seen.append(("a", clock.now))))
    clock.advance(3)
    assert seen == [("a", 2.0)]
    clock.run_out()
    assert seen == [("a", 2.0), ("b", 5.0)]
