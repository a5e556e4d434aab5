"""Late answers over real sockets: each in its time, and no thread waits for them."""

import base64
import json
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlencode

from flask import Flask

from ivr.sandbox.carrier import Carrier
from ivr.sandbox.clock import Clock
from ivr.sandbox.late import Timer
from ivr.sandbox.rest import Weather, messages_api
from ivr.sandbox.town import _sandbox, free_port
from ivr.sandbox.webhooks import Webhooks

ACCOUNT, TOKEN = "AC" + "0" * 32, "token"
MANY = 200
GUARD = 60.0  # seconds; only against a hang


@contextmanager
def twilio(
    day: str, seconds: float, taken: Callable[[str], None] = lambda _body: None
) -> Iterator[tuple[int, Carrier]]:
    """A simulated Twilio on such a day, its answers so late; its port, and what it took."""
    webhooks = Webhooks("http://127.0.0.1:9", "http://127.0.0.1:9", ACCOUNT, TOKEN)
    carrier, port, app = Carrier(Clock(), webhooks, taken), free_port(), Flask("late")
    app.register_blueprint(messages_api(carrier, Weather(day), ACCOUNT, TOKEN, {day: seconds}))
    with _sandbox(app, port):
        yield port, carrier


def asked(port: int, number: int) -> socket.socket:
    """A connection on which one text was asked for."""
    form = urlencode({"To": f"+1415555{2000 + number}", "From": "+14155550111", "Body": f"Hello {number}"})
    credentials = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    head = (
        f"POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1\r\nHost: twilio\r\n"
        f"Authorization: Basic {credentials}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(form)}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", port), timeout=GUARD)
    connection.sendall(f"{head}{form}".encode())
    return connection


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side ends the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def handlers_end(before: set[threading.Thread]) -> int:
    """Wait until no thread serves a request any more; how many threads the simulator has then."""
    for thread in set(threading.enumerate()) - before:
        if thread.name not in ("sandbox", "late answers"):
            thread.join(GUARD)
    return len(set(threading.enumerate()) - before)


def test_two_hundred_late_answers_hold_no_thread() -> None:
    seconds, before, taken = 6.0, set(threading.enumerate()), threading.Semaphore(0)
    with (
        twilio("slow", seconds, lambda _body: taken.release()) as (port, carrier),
        ExitStack() as kept,
        selectors.DefaultSelector() as answers,
    ):
        asked_at = {}
        for number in range(MANY):
            began = time.monotonic()
            connection = kept.enter_context(asked(port, number))
            asked_at[connection] = (number, began)
            answers.register(connection, selectors.EVENT_READ)
        assert all(taken.acquire(timeout=GUARD) for _ in range(MANY))
        assert handlers_end(before) <= 2, "the listener and the timer"
        assert answers.select(0) == [], "all of them are under way at once"
        assert len(carrier.texts) == MANY
        while asked_at:
            for key, _ in answers.select(GUARD):
                answers.unregister(key.fileobj)
                assert isinstance(key.fileobj, socket.socket)
                number, began = asked_at.pop(key.fileobj)
                assert time.monotonic() - began >= seconds
                head, _, body = everything(key.fileobj).partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 201 CREATED\r\n")
                assert f"Content-Length: {len(body)}".encode() in head
                assert json.loads(body)["body"] == f"Hello {number}"


def test_who_hangs_takes_nothing_and_ends_the_connection_late() -> None:
    began = time.monotonic()
    with twilio("hang", 0.3) as (port, carrier), asked(port, 1) as connection:
        assert everything(connection) == b""
        assert time.monotonic() - began >= 0.3
        assert carrier.texts == []


def test_one_who_does_not_wait_for_the_answer_disturbs_nobody() -> None:
    with twilio("slow", 0.3) as (port, carrier):
        asked(port, 1).close()
        with asked(port, 2) as connection:
            assert b"Hello 2" in everything(connection)
        assert len(carrier.texts) == 2


def test_the_timer_keeps_the_order_of_time_and_rests() -> None:
    timer, happened, over = Timer(), list[str](), threading.Event()
    timer.later(0.2, over.set)
    timer.later(0.1, lambda: happened.append("second"))
    timer.later(0.0, lambda: happened.append("first"))
    assert over.wait(GUARD)
    assert happened == ["first", "second"]
    again = threading.Event()
    timer.later(0.0, again.set)
    assert again.wait(GUARD), "a timer that has rested works again"
