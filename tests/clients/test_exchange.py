"""One exchange: over by its deadline and within its size, whatever the other side does."""

import gzip
import shutil
import ssl
import subprocess
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from ivr.clients.bounded import TooLarge
from ivr.clients.exchange import MOST_BYTES, Answer, exchange, kept_session, never_sent
from ivr.clients.failure import SendError
from ivr.clients.liveperson_wire import ACT, LOOK_UP, Wire
from ivr.clients.twilio import Account, Twilio
from ivr.clients.webhook import WebhookDesk
from tests.clients.listener import Listener, listening
from tests.clients.test_webhook import NOW

HEAD = b"HTTP/1.1 200 OK\r\n"
SECONDS = 0.4


def ask(there: Listener, session: requests.Session | None = None, **how: Any) -> Answer:
    session = session or kept_session(1)
    return exchange(session, "GET", there.url, time.monotonic() + SECONDS, time.monotonic, **how)


@contextmanager
def in_time() -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < SECONDS + 1.0


# name, the beginning of an answer, what drips after it
DRIPPING = [
    ("nothing yet, and then the status line", b"", b"H"),
    ("headers", HEAD + b"X: ", b"x"),
    ("header after header", HEAD, b"X: x\r\n"),
    ("one beginning after another", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ("a body", HEAD + b"Content-Length: 1000000\r\n\r\n", b"x"),
    ("a body without a length", HEAD + b"\r\n", b"x"),
    ("chunks", HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ("a chunk's size", HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    ("what follows the chunks", HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: x\r\n"),
    ("a packed body", HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10], b"\0\0\0\xff\xff"),
    ("a redirect's body", b"HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\n", b"x"),
]


@pytest.mark.parametrize(("begins", "drips"), [case[1:] for case in DRIPPING], ids=[case[0] for case in DRIPPING])
def test_an_answer_that_drips_ends_by_the_deadline(begins: bytes, drips: bytes) -> None:
    with listening(begins, drips=drips) as there, in_time(), pytest.raises(requests.ReadTimeout) as raised:
        ask(there)
    assert not never_sent(raised.value)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """A listener's TLS, and the file of the one certificate that it is known by."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    directory: Path = tmp_path_factory.mktemp("tls")
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        ["openssl", *words.split(), "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, str(certificate)


@pytest.mark.parametrize("begins", [HEAD + b"X: ", HEAD + b"Content-Length: 1000000\r\n\r\n"])
def test_over_tls_too(begins: bytes, tls: tuple[ssl.SSLContext, str]) -> None:
    context, certificate = tls
    with listening(begins, drips=b"x", tls=context) as there, in_time(), pytest.raises(requests.ReadTimeout):
        ask(there, verify=certificate)


def test_a_kept_connection_over_tls_drips_no_longer(tls: tuple[ssl.SSLContext, str]) -> None:
    context, certificate = tls
    session = kept_session(1)
    with listening(HEAD + b"Content-Length: 2\r\n\r\nok", tls=context) as there:
        assert ask(there, session, verify=certificate).text == "ok"
        there.drips = b"x"
        there.answer = HEAD
        with in_time(), pytest.raises(requests.ReadTimeout):
            ask(there, session, verify=certificate)
        assert there.connections == 1


def test_a_connection_is_kept_and_has_the_whole_time_again() -> None:
    session = kept_session(1)
    with listening(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n") as there:
        assert ask(there, session).text == "ok"
        there.answer = HEAD + b"Content-Length: 0\r\n\r\n"
        assert ask(there, session).text == ""
        there.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        assert ask(there, session).status == 204
        assert there.connections == 1
        there.answer, there.drips = HEAD, b"x"
        with in_time(), pytest.raises(requests.ReadTimeout):
            ask(there, session)
        assert there.connections == 1
        there.answer, there.drips = HEAD + b"Content-Length: 2\r\n\r\nok", b""
        assert ask(there, session).text == "ok"
        assert there.connections == 2, "where an answer was not read to its end no other is read"


def answered(body: bytes, packed: bytes = b"", chunked: bool = False) -> bytes:
    head = HEAD + (b"Content-Encoding: " + packed + b"\r\n" if packed else b"")
    if chunked:
        return head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    return head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


BOMB = gzip.compress(b"\0" * 200_000_000, 1)
TWICE = zlib.compress(gzip.compress(BOMB))
TOO_LARGE = [
    ("a body", answered(b"x" * (MOST_BYTES + 1))),
    ("chunks", answered(b"x" * (MOST_BYTES + 1), chunked=True)),
    ("one byte too much, packed", answered(gzip.compress(b"x" * (MOST_BYTES + 1)), b"gzip")),
    ("a bomb", answered(BOMB, b"gzip")),
    ("a bomb in chunks", answered(BOMB, b"gzip", chunked=True)),
    ("a bomb, packed otherwise", answered(zlib.compress(b"\0" * 20_000_000), b"deflate")),
]


@pytest.mark.parametrize("answer", [case[1] for case in TOO_LARGE], ids=[case[0] for case in TOO_LARGE])
def test_an_answer_that_is_too_large(answer: bytes) -> None:
    with listening(answer) as there:
        begun = time.process_time()
        with pytest.raises(TooLarge) as raised:
            ask(there)
        assert time.process_time() - begun < 0.3
    assert not never_sent(raised.value)


@pytest.mark.parametrize("chunked", [False, True])
def test_an_answer_as_large_as_it_may_be(chunked: bool) -> None:
    large = b"x" * MOST_BYTES
    for body, packed in [(large, b""), (gzip.compress(large), b"gzip"), (zlib.compress(large), b"deflate")]:
        with listening(answered(body, packed, chunked)) as there:
            assert len(ask(there).text) == MOST_BYTES
    assert b"Accept-Encoding: gzip\r\n" in there.requests[0], "what else could be packed is not asked for"


@pytest.mark.parametrize(("body", "packed"), [
    (b"plain", b"gzip"), (gzip.compress(b"half" * 99)[:-9], b"gzip"), (gzip.compress(b"{") + gzip.compress(b"}"), b"gzip"),
])  # fmt: skip
def test_an_answer_that_cannot_be_unpacked(body: bytes, packed: bytes) -> None:
    with listening(answered(body, packed)) as there, pytest.raises(requests.exceptions.ContentDecodingError):
        ask(there)


def test_members_that_unpack_to_nothing_cost_nothing() -> None:
    with listening(answered(gzip.compress(b"") * 50_000, b"gzip")) as there:
        begun = time.process_time()
        with pytest.raises(requests.exceptions.ContentDecodingError):
            ask(there)
        assert time.process_time() - begun < 0.3


def test_half_an_answer_is_none() -> None:
    with (
        listening(HEAD + b"Content-Length: 9\r\n\r\nhalf", keep=False) as there,
        pytest.raises(requests.ConnectionError),
    ):
        ask(there)


def test_where_a_redirect_leads_is_not_parsed_and_its_bomb_not_unpacked() -> None:
    answer = answered(b"moved").replace(b"200 OK\r\n", b"302 Found\r\nLocation: http://[\r\n")
    with listening(answer) as there:
        assert (ask(there).status, ask(there).text) == (302, "moved")
    bomb = answered(BOMB, b"gzip").replace(b"200 OK\r\n", b"302 Found\r\nLocation: /there\r\n")
    with listening(bomb) as there, pytest.raises(TooLarge):
        ask(there)


LOST = [(HEAD + b"X: ", b"x"), (HEAD + b"Content-Length: 1000000\r\n\r\n", b"x"), (answered(BOMB, b"gzip"), b"")]
LOST_IDS = ["headers that drip", "a body that drips", "a bomb"]


@pytest.mark.parametrize(("begins", "drips"), LOST, ids=LOST_IDS)
def test_to_twilio_s_client_it_is_unclear(begins: bytes, drips: bytes) -> None:
    with listening(begins, drips=drips) as there, in_time(), pytest.raises(SendError) as raised:
        twilio = Twilio(Account("AC" + "0" * 32, "token", api_url=there.url.rstrip("/")), connections=1)
        twilio.send_text("+14155552671", "+14155550111", "Hi", "https://x.example/", 3600, time.monotonic() + SECONDS)
    assert raised.value.unclear


@pytest.mark.parametrize(("begins", "drips"), LOST, ids=LOST_IDS)
@pytest.mark.parametrize("kind", [ACT, LOOK_UP])
def test_to_liveperson_s_client_it_is_unclear_where_it_acts(begins: bytes, drips: bytes, kind: Any) -> None:
    with listening(begins, drips=drips) as there, in_time(), pytest.raises(SendError) as raised:
        Wire(1, time.monotonic).ask(kind, "POST", there.url, time.monotonic() + SECONDS, json={})
    assert raised.value.unclear is kind.acts


@pytest.mark.parametrize(("begins", "drips"), LOST, ids=LOST_IDS)
@pytest.mark.parametrize("allow_private", [False, True])
def test_to_a_desk_of_one_s_own_it_is_repeated(begins: bytes, drips: bytes, allow_private: bool) -> None:
    client = WebhookDesk(1, now=lambda: NOW, private=lambda address: False)
    with listening(begins, drips=drips) as there, in_time(), pytest.raises(SendError) as raised:
        client.post(there.url, "secret", {"id": "1"}, time.monotonic() + SECONDS, allow_private)
    assert not raised.value.permanent
