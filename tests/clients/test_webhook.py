"""The client of desks of one's own: the exact request, every answer sorted, and no way into a private network."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ivr.clients.failure import ConversationClosed, SendError
from ivr.clients.signature import verify
from ivr.clients.webhook import WebhookDesk
from ivr.private import is_private
from tests.clients.listener import Listener, listening
from tests.clients.test_twilio import NO_ANSWER

URL = "https://desk.example.com/ivr/path?key=query"
SECRET = "correct horse battery staple"
NOW = datetime(2026, 3, 2, 14, 22, 5, tzinfo=UTC)
PAYLOAD: Mapping[str, Any] = {"id": "5f" * 16, "type": "text", "text": "Größe \U0001f44d"}
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"seen":"1"}'


def webhook(now: float = 0.0, private: Callable[[str], bool] = is_private) -> WebhookDesk:
    return WebhookDesk(2, now=lambda: NOW, clock=lambda: now, private=private)


def post(client: WebhookDesk, url: str = URL, allow_private: bool = False) -> Mapping[str, Any]:
    return client.post(url, SECRET, PAYLOAD, deadline=20.0, allow_private=allow_private)


def failing(client: WebhookDesk, url: str = URL, allow_private: bool = False) -> SendError:
    with pytest.raises(SendError) as raised:
        post(client, url, allow_private)
    said = raised.value.reason
    assert not any(word in said for word in (SECRET, "path", "query", "Größe", "body")), said
    assert not raised.value.unclear
    return raised.value


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening(OK) as there:
        yield there


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A socket on which connections only wait."""
    with socket.create_server(("127.0.0.1", 0)) as waiting:
        waiting.settimeout(5.0)
        yield waiting


def port(silent: socket.socket) -> int:
    return int(silent.getsockname()[1])


def nobody_came(silent: socket.socket) -> bool:
    silent.settimeout(0.0)
    try:
        silent.accept()[0].close()
    except BlockingIOError:
        return True
    return False


def first_bytes(silent: socket.socket) -> bytes:
    with silent.accept()[0] as connection:
        connection.settimeout(5.0)
        return connection.recv(4096)


@responses.activate
def test_the_exact_request() -> None:
    responses.post(URL, json={"seen": "1"})
    assert post(webhook()) == {"seen": "1"}
    (call,) = responses.calls
    body = call.request.body
    assert body == f'{{"id":"{"5f" * 16}","type":"text","text":"Größe \U0001f44d"}}'.encode()
    assert call.request.headers["Content-Type"] == "application/json"
    assert call.request.headers["Idempotency-Key"] == "5f" * 16
    assert verify(SECRET, call.request.headers["Ivr-Signature"], body, NOW)
    assert "Authorization" not in call.request.headers


@responses.activate
def test_half_a_character_is_sent_as_a_question_mark() -> None:
    responses.post(URL)
    webhook().post(URL, SECRET, {"id": "1", "text": "\ud83d"}, deadline=20.0)
    assert responses.calls[0].request.body == b'{"id":"1","text":"?"}'


TAKEN = [
    ("an object", {"status": 200, "json": {"a": 1}}, {"a": 1}),
    ("accepted", {"status": 202, "json": {"a": 1}}, {"a": 1}),
    ("nothing", {"status": 204}, {}),
    ("a page", {"status": 200, "body": "<html>"}, {}),
    ("a list", {"status": 200, "body": "[1]"}, {}),
    ("too deep to read", {"status": 200, "body": "[" * 100_000}, {}),
    ("it has it already", {"status": 409, "json": {"error": "x"}}, {}),
]


@pytest.mark.parametrize(("answer", "returned"), [case[1:] for case in TAKEN], ids=[case[0] for case in TAKEN])
@responses.activate
def test_taken(answer: dict[str, Any], returned: dict[str, Any]) -> None:
    responses.post(URL, **answer)
    assert post(webhook()) == returned


REFUSALS = [
    ("busy", {"status": 429, "headers": {"Retry-After": "7"}}, {"code": 429, "retry_after": 7.0}),
    ("busy without a time", {"status": 429}, {"code": 429}),
    ("too slow for it", {"status": 408}, {"code": 408}),
    ("failing", {"status": 500}, {"code": 500}),
    ("away for a while", {"status": 503, "headers": {"Retry-After": "60"}}, {"code": 503, "retry_after": 60.0}),
    ("no such page, until somebody mends the URL", {"status": 404}, {"code": 404}),
    ("another secret, until somebody mends it", {"status": 403, "body": "the body"}, {"code": 403}),
    ("not as it likes it", {"status": 422}, {"code": 422, "permanent": True}),
    ("closed", {"status": 410}, {"code": 410, "permanent": True}),
    ("a redirect", {"status": 307, "headers": {"Location": "https://x.example/"}}, {"code": 307}),
    ("a redirect nowhere", {"status": 302, "headers": {"Location": "http://["}}, {"code": 302}),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "means"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
@responses.activate
def test_every_refusal(answer: dict[str, Any], means: dict[str, Any]) -> None:
    responses.post(URL, **answer)
    found = failing(webhook())
    expected = {"permanent": False, "unclear": False, "retry_after": None} | means
    assert {name: getattr(found, name) for name in expected} == expected
    assert isinstance(found, ConversationClosed) is (found.code == 410)
    assert len(responses.calls) == 1, "nothing is repeated or followed by the client"


@pytest.mark.parametrize("happens", [case[1] for case in NO_ANSWER], ids=[case[0] for case in NO_ANSWER])
@responses.activate
def test_no_answer_is_a_plain_repeat(happens: Callable[[], Exception]) -> None:
    responses.post(URL, body=happens())
    assert not failing(webhook()).permanent


@responses.activate
def test_nothing_is_asked_when_no_time_is_left() -> None:
    assert not failing(webhook(now=20.0)).permanent
    assert len(responses.calls) == 0


def test_an_attempt_has_its_time() -> None:
    assert webhook(now=5.0).deadline() == 25.0


@pytest.mark.parametrize("url", ["", "desk", "ftp://x.example/", "http://", "http://[::1", "http://a..example/", f"http://{'a' * 64}.example/", "http://x.example:99999/", "http://\ud800.example/"])  # fmt: skip
@pytest.mark.parametrize("allow_private", [False, True])
def test_a_url_that_is_none(url: str, allow_private: bool) -> None:
    found = failing(webhook(), url, allow_private)
    assert (found.permanent, found.reason) == (True, "The desk's URL cannot be used")


def test_a_name_that_nobody_has_is_asked_again() -> None:
    found = failing(webhook(), f"http://{'nobody.' * 40}example/")  # too long to be asked for
    assert (found.permanent, found.reason) == (False, "The desk could not be reached")


def test_a_port_where_nobody_listens_is_asked_again(silent: socket.socket) -> None:
    there = port(silent)
    silent.close()
    found = failing(webhook(private=lambda address: False), f"http://127.0.0.1:{there}/")
    assert (found.permanent, found.reason) == (False, "The desk could not be reached")


INSIDE = ["http://127.0.0.1:{}/", "http://localhost:{}/", "http://2130706433:{}/", "http://0x7f.1:{}/", "http://0:{}/", "http://[::1]:{}/", "http://[::ffff:127.0.0.1]:{}/", "https://127.0.0.1:{}/", "https://localhost:{}/"]  # fmt: skip


@pytest.mark.parametrize("url", INSIDE)
def test_private_destinations_are_refused_before_a_connection(url: str, silent: socket.socket) -> None:
    found = failing(webhook(), url.format(port(silent)))
    assert found.permanent
    assert "allow_private" in found.reason
    assert nobody_came(silent)


def test_private_destinations_where_the_brand_allows_them(listener: Listener) -> None:
    assert post(webhook(), listener.url, allow_private=True) == {"seen": "1"}
    assert listener.requests[0].startswith(b"POST / HTTP/1.1\r\n")


def test_a_kept_private_connection_is_no_other_brand_s(listener: Listener) -> None:
    client = webhook()
    post(client, listener.url, allow_private=True)
    post(client, listener.url, allow_private=True)
    assert failing(client, listener.url).permanent
    assert (listener.connections, len(listener.requests)) == (1, 2)


def test_who_is_at_the_other_end_is_judged_before_a_byte_is_written(silent: socket.socket) -> None:
    verdicts = iter([False, True])  # public when the name was looked up, private when it was connected to
    found = failing(webhook(private=lambda address: next(verdicts)), f"http://127.0.0.1:{port(silent)}/")
    assert found.permanent
    assert first_bytes(silent) == b""


def test_of_a_name_s_addresses_only_public_ones_are_called(listener: Listener) -> None:
    judged: list[str] = []

    def private(address: str) -> bool:
        judged.append(address)
        return address != "127.0.0.1"

    url = f"http://localhost:{listener.port}/"
    assert post(webhook(private=private), url) == {"seen": "1"}
    assert judged[-1] == "127.0.0.1", "the one at the other end"
    assert f"Host: localhost:{listener.port}".encode() in listener.requests[0]


def test_a_public_connection_is_kept(listener: Listener) -> None:
    client = webhook(private=lambda address: False)
    post(client, listener.url)
    post(client, listener.url)
    assert (listener.connections, len(listener.requests)) == (1, 2)


def test_tls_asks_for_the_name_and_not_for_the_address_that_was_judged(silent: socket.socket) -> None:
    with ThreadPoolExecutor(1) as pool:
        hello = pool.submit(first_bytes, silent)
        found = failing(webhook(private=lambda address: False), f"https://localhost:{port(silent)}/")
    assert not found.permanent
    assert b"localhost" in hello.result()


def test_proxies_of_the_environment_change_nothing(
    listener: Listener, silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port(silent)}")
    post(webhook(), listener.url, allow_private=True)
    post(webhook(private=lambda address: False), listener.url)
    assert nobody_came(silent)


def test_no_cookie_is_kept() -> None:
    with listening(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=1\r\n\r\n")) as there:
        client = webhook()
        post(client, there.url, allow_private=True)
        post(client, there.url, allow_private=True)
    assert b"cookie" not in there.requests[1].lower()


def test_threads_share_it(listener: Listener) -> None:
    client = webhook()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: post(client, listener.url, allow_private=True), range(20)))
    assert answers == [{"seen": "1"}] * 20
    assert {json.loads(request.split(b"\r\n\r\n")[1])["id"] for request in listener.requests} == {PAYLOAD["id"]}


LINES = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.1 302 Found", b"HTTP/1.1 429 \xff", b"HTTP/9 099", b"Content-Length: 5", b"Content-Length: x",
     b"Content-Length: 7", b"Transfer-Encoding: chunked", b"Content-Encoding: gzip", b"Location: http://[", b"Retry-After: 9999999999",
     b"Retry-After: \xb2", b"Set-Cookie: =;;", b"Connection: keep-alive", b"", b"5", b"-1", b"\x1f\x8b\x08", b"{}", b'{"a": 1}']
)  # fmt: skip


@given(st.lists(LINES | st.binary(max_size=20), max_size=9).map(b"\r\n".join))
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n{}")
@example(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nplain")
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")
@example(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000)
@settings(max_examples=60, deadline=None)
def test_no_answer_is_too_strange(answer: bytes) -> None:
    with listening(answer, keep=False) as there:
        try:
            assert isinstance(post(webhook(), there.url, allow_private=True), dict)
        except SendError as error:
            assert not error.unclear
            assert error.reason != "The desk's URL cannot be used"
