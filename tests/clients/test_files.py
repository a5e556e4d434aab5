"""Files fetched whole: bounded in time and size, redirects included."""

import gzip
import time
from base64 import b64encode

import pytest

from ivr.clients.failure import SendError
from ivr.clients.files import File, FileFetcher
from tests.clients.listener import listening

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"
FILE = HEAD + b"Content-Length: 3\r\n\r\npng"
AUTH = ("AC1", "token")
CREDENTIALS = b"Authorization: Basic " + b64encode(b"AC1:token")


def redirect(url: str, body: bytes = b"moved") -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def failing(url: str, most: int = 1000) -> str:
    begun = time.monotonic()
    with pytest.raises(SendError) as raised:
        FileFetcher(1, seconds=0.4, most=most).fetch(url)
    assert time.monotonic() - begun < 1.4
    return raised.value.reason


@pytest.mark.parametrize("answer", [FILE, HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"png")])
def test_a_file(answer: bytes) -> None:
    with listening(answer, keep=False) as there:
        assert FileFetcher(1).fetch(there.url, AUTH) == File("image/png", b"png")
    assert CREDENTIALS in there.requests[0]


@pytest.mark.parametrize("begins", [b"", HEAD + b"X: ", HEAD + b"Content-Length: 100000\r\n\r\n", HEAD + b"\r\n"])
def test_a_file_that_drips(begins: bytes) -> None:
    with listening(begins, drips=b"x") as there:
        assert failing(there.url) == "the file's host did not answer (ReadTimeout)"


@pytest.mark.parametrize("answer", [
    HEAD + b"Content-Length: 1001\r\n\r\n" + b"x" * 1001,
    HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 1001),
    HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"\0" * 500_000),
])  # fmt: skip
def test_a_file_that_is_too_large(answer: bytes) -> None:
    with listening(answer, keep=False) as there:
        assert failing(there.url) == "the file is larger than 1,000 bytes"


def test_what_answers_otherwise_is_no_file() -> None:
    with listening(FILE.replace(b"200 OK", b"404 Not Found")) as there:
        assert failing(there.url) == "the file's host answered 404"


def test_a_redirect_is_followed_and_the_credentials_are_not_given_to_another_host() -> None:
    with listening(FILE) as storage, listening(redirect(storage.url)) as twilio:
        assert FileFetcher(1).fetch(twilio.url, AUTH).content == b"png"
    assert CREDENTIALS in twilio.requests[0]
    assert b"authorization" not in storage.requests[0].lower()


def test_a_redirect_within_one_host_keeps_them() -> None:
    with listening(redirect("/there")) as there, pytest.raises(SendError) as raised:
        FileFetcher(1).fetch(there.url, AUTH)
    assert raised.value.reason == "the file's host did not answer (TooManyRedirects)"
    assert all(CREDENTIALS in request for request in there.requests)
    assert there.requests[1].startswith(b"GET /there ")
    assert len(there.requests) <= 10


@pytest.mark.parametrize(
    "where", ["http://[", "ftp://x.example/", "http://a..example/", "http://", "http://x.example:99999/"]
)
def test_a_redirect_nowhere(where: str) -> None:
    with listening(redirect(where)) as there:
        assert failing(there.url).startswith("the file's host did not answer (")


def test_redirects_share_the_time_and_their_bodies_are_not_read() -> None:
    slow = b"HTTP/1.1 302 Found\r\nX: "
    with listening(slow, drips=b"x") as dripping, listening(redirect(dripping.url)) as there:
        assert failing(there.url) == "the file's host did not answer (ReadTimeout)"
    with listening(FILE) as storage:
        head = redirect(storage.url).replace(b"Content-Length: 5", b"Content-Length: 5000000")
        with listening(head, drips=b"x") as there:
            assert FileFetcher(1).fetch(there.url).content == b"png"
