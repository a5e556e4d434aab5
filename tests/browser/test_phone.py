"""The phone page in a browser: a call is dialled, heard, deflected and answered; a prompt is edited and heard."""

import io
import json
import re
import shutil
import wave
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from flask import Flask, Response, request
from playwright.sync_api import Page, Route, expect

from ivr.sandbox.town import Town, free_port, town
from tests.browser.conftest import Opened
from tests.browser.looks import nothing_serious, shot
from tests.conftest import FLOWS
from tests.deployment.stand import served

# A voice that is done at once, and writes down what it was given to say.
VOICE = r"""
speechSynthesis.getVoices = () => [{ lang: "en-US", name: "test" }];
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
speechSynthesis.speak = (words) => { document.documentElement.dataset.heard = `${document.documentElement.dataset.heard ?? ""}${words.text}\n`; setTimeout(() => { words.onstart(); words.onend(); }, 5); };
speechSynthesis.cancel = () => {};
"""


class Sandbox:
    def __init__(self, url: str, flows: Path, town: Town) -> None:
        self.url, self.flows, self.town = url, flows, town


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    place = tmp_path_factory.mktemp("phone")
    flows, port = place / "brands", free_port()
    shutil.copytree(FLOWS, flows)
    database, log = f"sqlite:///{place / 'ivr.db'}", place / "server.log"
    with town(flows, database, log, sandbox_port=port, ahead=timedelta()) as here:
        yield Sandbox(f"http://127.0.0.1:{port}/", flows, here)


def ready(page: Page) -> None:
    expect(page.locator("#state")).to_have_text("Ready")
    expect(page.locator("#text")).to_have_value(re.compile("name: "))


def listens(page: Page) -> None:
    expect(page.locator("#keypad.listens")).to_be_visible()


def hears(page: Page, words: str) -> None:
    """The browser was given these words to say."""
    expect(page.locator("html")).to_have_attribute("data-heard", re.compile(re.escape(words)))


def accept(page: Page) -> None:
    """The menu's 1, then yes."""
    for prompt in ("For billing, press 1", "Press 1 to gain back"):
        expect(page.locator("#caption")).to_contain_text(prompt)
        listens(page)
        page.keyboard.press("1")


def test_a_call_is_dialled_deflected_and_answered(sandbox: Sandbox, opened: Opened) -> None:
    page = opened(sandbox.url, script=VOICE)
    ready(page)
    shot(page, "ready-light")
    page.get_by_role("button", name="Call", exact=True).click()
    page.locator("#caption", has_text="For billing").wait_for()
    listens(page)
    page.get_by_role("button", name="1", exact=True).click()
    page.locator("#caption", has_text="Press 1 to gain back").wait_for()
    listens(page)
    shot(page, "offer-light")
    page.get_by_role("button", name="1", exact=True).click()
    banner = page.locator("#banner")
    expect(banner).to_contain_text("Thank you for choosing to connect with Acme Air by text")
    shot(page, "texted-light")
    expect(page.locator("#caption")).to_contain_text("We are texting the number")
    page.locator("#call").click()
    page.get_by_label("Text message").fill("My bill is wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#facts")).to_contain_text("Skill1234")
    expect(page.locator("#talk .note").first).to_contain_text("IVR deflection, billing")
    expect(page.locator("#thread .theirs").last).to_have_text("Hello, this is Sam. I am looking at it.")
    shot(page, "answered-light")
    page.get_by_label("Answer", exact=True).fill("It is mended now.")
    page.keyboard.press("Enter")
    expect(page.locator("#thread .theirs").last).to_have_text("It is mended now.")
    expect(page.get_by_label("Sam answers on his own")).not_to_be_checked()
    nothing_serious(page)
    page.get_by_role("button", name="Close the conversation").click()
    expect(page.locator("#talk")).to_contain_text("The conversation is closed.")
    page.get_by_label("Sam answers on his own").check()


def test_a_prompt_is_edited_and_heard(sandbox: Sandbox, opened: Opened) -> None:
    page, file = opened(sandbox.url, script=VOICE, dark=True), sandbox.flows / "acme.yaml"
    ready(page)
    before = file.read_text(encoding="utf-8")
    text = page.get_by_label("The brand's file")
    text.fill(before.replace("    skill:", "    skil:", 1))
    expect(page.locator("#mirror .error i")).to_contain_text("did you mean skill?")
    expect(page.locator("#gutter .error")).to_have_text(re.compile("31"))
    expect(page.get_by_role("button", name="Save the file")).to_be_disabled()
    nothing_serious(page)
    shot(page, "finding-dark")
    text.fill(before.replace("Thank you for calling {{ brand }}.", "Good morning, this is {{ brand }}."))
    expect(page.locator("#saved")).to_have_text("The next call uses this")
    text.press("Escape")
    page.locator("#call").click()
    expect(page.locator("#caption")).to_have_text(re.compile("Good morning, this is Acme Air."))
    hears(page, "Good morning, this is Acme Air.")
    assert file.read_text(encoding="utf-8") == before
    page.locator("#call").click()
    expect(page.locator("#state")).to_have_text("Ready")
    page.get_by_role("button", name="Save the file").click()
    expect(page.locator("#saved")).to_have_text("As in the file")
    assert "Good morning, this is" in file.read_text(encoding="utf-8")
    file.write_text(before, encoding="utf-8")
    text.fill(before + "\n")
    page.get_by_role("button", name="Save the file").click()
    expect(page.locator("#problem")).to_contain_text("changed by somebody else")
    page.get_by_role("button", name="Undo all").click()
    expect(text).to_have_value(before)


def test_by_keyboard_alone(sandbox: Sandbox, opened: Opened) -> None:
    page = opened(sandbox.url, script=VOICE, narrow=True)
    ready(page)
    page.locator("#phone").focus()
    tab_to(page, "call")
    page.keyboard.press("Enter")
    accept(page)
    expect(page.locator("#unread")).to_have_text("1 new")
    tab_to(page, "to-texts")
    page.keyboard.press("Enter")
    expect(page.locator("#body")).to_be_focused()
    page.keyboard.type("Where is my bag? 12")
    page.keyboard.press("Enter")
    expect(page.locator("#talk .theirs").last).to_have_text("Where is my bag? 12")
    tab_to(page, "answer")
    page.keyboard.type("In Lisbon.")
    page.keyboard.press("Enter")
    expect(page.locator("#thread .theirs").last).to_have_text("In Lisbon.")
    tab_to(page, "text")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.locator("#text")).not_to_be_focused()
    nothing_serious(page)
    shot(page, "answered-narrow")
    page.emulate_media(color_scheme="dark")
    nothing_serious(page)
    shot(page, "answered-dark-narrow")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    if page.locator("#phone").get_attribute("data-is") != "idle":
        page.evaluate("document.getElementById('call').click()")
    expect(page.locator("#state")).to_have_text("Ready")


def tab_to(page: Page, id: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == id:
            return
    raise AssertionError(f"Tab does not reach {id}")


@pytest.mark.parametrize(
    ("phone", "twilio", "heard"),
    [
        ("withheld", "up", "Please enter the mobile number"),
        ("landline", "up", "could not text this number"),
        ("opted-out", "up", "could not text this number"),
        ("mobile", "slow", "on its way"),
    ],
)
def test_a_handset_and_a_fault(sandbox: Sandbox, opened: Opened, phone: str, twilio: str, heard: str) -> None:
    page = opened(sandbox.url, script=VOICE)
    ready(page)
    page.get_by_text("Whose phone, and what goes wrong").click()
    page.locator("#from").select_option(phone)
    page.locator("#twilio").select_option(twilio)
    page.locator("#call").click()
    accept(page)
    hears(page, heard)
    page.locator("#call").click()
    expect(page.locator("#state")).to_have_text("Ready")


def test_the_queue_is_hurried(sandbox: Sandbox, opened: Opened) -> None:
    page = opened(sandbox.url, script=VOICE)
    ready(page)
    page.locator("#number").select_option("branch:billing")
    page.locator("#call").click()
    listens(page)
    page.locator("#hurry").click()
    expect(page.locator("#state")).to_have_text("Waiting in the queue “billing”")
    shot(page, "queue-light")
    page.locator("#hurry").click()
    page.locator("#hurry").click()
    expect(page.locator("#state")).to_have_text("Talking to a person")
    page.locator("#call").click()
    expect(page.locator("#state")).to_have_text("Ready")


def test_who_hangs_up_in_the_queue_has_left_it(sandbox: Sandbox, opened: Opened) -> None:
    page = opened(sandbox.url, script=VOICE)
    ready(page)
    page.locator("#number").select_option("branch:billing")
    page.locator("#call").click()
    listens(page)
    page.locator("#hurry").click()
    expect(page.locator("#state")).to_have_text("Waiting in the queue “billing”")
    page.locator("#call").click()
    expect(page.locator("#state")).to_have_text("Ready")
    said = [made["params"] for made in sandbox.town.webhooks.exchanges]  # what came of earlier texts among them
    assert [told["QueueResult"] for told in said if "QueueResult" in told][-1] == "hangup"


# Every state that a person could have seen, and acted on.
WATCH = """
document.addEventListener("DOMContentLoaded", () => {
  const state = document.getElementById("state");
  window.seen = [];
  new MutationObserver(() => window.seen.push(state.textContent)).observe(state, { childList: true });
});
"""


def test_calls_of_before_do_not_pass_by_on_a_page_that_opens(sandbox: Sandbox, opened: Opened) -> None:
    page = opened(sandbox.url, script=VOICE)
    ready(page)
    page.locator("#call").click()
    listens(page)
    page.locator("#call").click()
    expect(page.locator("#state")).to_have_text("Ready")
    page = opened(sandbox.url, script=VOICE + WATCH)
    ready(page)
    page.locator("#to-texts").click()
    page.get_by_label("Text message").fill("After all that")
    page.keyboard.press("Enter")
    expect(page.locator("#thread .mine").last).to_have_text("After all that")
    assert set(page.evaluate("window.seen")) <= {"Ready"}


def test_a_number_is_keyed_in_and_its_texts_arrive_here(sandbox: Sandbox, opened: Opened) -> None:
    page = opened(sandbox.url, script=VOICE)
    ready(page)
    page.get_by_text("Whose phone, and what goes wrong").click()
    page.locator("#from").select_option("withheld")
    page.locator("#call").click()
    accept(page)
    hears(page, "Please enter the mobile number")
    listens(page)
    page.keyboard.type("4155552680#")
    hears(page, "4155552680")
    listens(page)
    page.keyboard.type("1")
    expect(page.locator("#banner")).to_contain_text("Acme Air")
    page.locator("#call").click()
    page.get_by_label("Text message").fill("It is me")
    page.keyboard.press("Enter")
    expect(page.locator("#facts")).to_contain_text("+1(415) 555-2680")


def test_keys_arrive_in_the_order_in_which_they_were_pressed(sandbox: Sandbox, opened: Opened) -> None:
    page, waiting = opened(sandbox.url, script=VOICE), list[Route]()
    ready(page)
    page.locator("#call").click()
    listens(page)
    pressed = "**/phone/do/press"
    page.route(pressed, lambda route: waiting.append(route))  # of its own: Playwright marks what it is given
    with page.expect_request(pressed):
        page.keyboard.type("789")
    for key in "78":
        assert told(page, waiting) == [key]
        with page.expect_request(pressed):
            waiting.pop().continue_()
    assert told(page, waiting) == ["9"]
    waiting.pop().continue_()
    page.locator("#call").click()
    expect(page.locator("#state")).to_have_text("Ready")


def told(page: Page, waiting: list[Route]) -> list[str]:
    """The keys that are on their way."""
    page.evaluate("0")  # whatever the page asked before is known then
    return [json.loads(route.request.post_data or "{}")["key"] for route in waiting]


def test_a_recording_plays(sandbox: Sandbox, opened: Opened) -> None:
    asked: list[str] = []
    with served(recordings(asked)) as url:
        page = opened(sandbox.url, script=VOICE)
        ready(page)
        text = page.get_by_label("The brand's file")
        said = "say: Thank you for calling {{ brand }}. For billing, press 1. For bookings, press 2."
        written = text.input_value()
        assert said in written
        text.fill(written.replace(said, f"say: {{play: {url}/hello.wav}}"))
        page.locator("#call").click()
        expect(page.locator("#caption")).to_contain_text("hello.wav")
        listens(page)
        page.locator("#call").click()
        expect(page.locator("#state")).to_have_text("Ready")
        page.get_by_role("button", name="Undo all").click()
        expect(page.locator("#saved")).to_have_text("As in the file")
    assert asked
    assert set(asked) == {"audio"}


def recordings(asked: list[str]) -> Flask:
    """A tenth of a second of silence, and what it was asked for as."""
    app, wav = Flask("recordings"), io.BytesIO()
    with wave.open(wav, "wb") as sound:
        sound.setparams((1, 1, 8000, 800, "NONE", ""))
        sound.writeframes(b"\x80" * 800)

    @app.get("/hello.wav")
    def hello() -> Response:
        asked.append(request.headers.get("Sec-Fetch-Dest", ""))
        return Response(wav.getvalue(), mimetype="audio/wav")

    return app


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
    ],
    ids=["another site", "no origin", "a file", "another name for this machine"],
)
def test_no_other_site_may_write(sandbox: Sandbox, headers: dict[str, str], status: int) -> None:
    answer = requests.post(f"{sandbox.url}phone/do/save", json={"brand": "acme"}, headers=headers)
    assert answer.status_code == status
    assert requests.get(f"{sandbox.url}phone/state", headers={"Host": "evil.example"}).status_code == 403


def test_the_page_says_what_it_may_load(sandbox: Sandbox) -> None:
    answer = requests.get(sandbox.url, headers={"Accept": "text/html"})
    assert answer.url == f"{sandbox.url}phone/"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "curl" in requests.get(sandbox.url).text
