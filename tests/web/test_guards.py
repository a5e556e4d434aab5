"""The guards: nothing unsigned gets in, and nobody learns why."""

import hashlib
import io
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urldefrag, urlencode

import pytest
from twilio.request_validator import RequestValidator

from ivr.deployment.pointing import text_url
from ivr.flow.load import load_directory
from ivr.sandbox.town import ROOT
from ivr.web.guards import _Watch
from tests.doors import ACCOUNT_SID, CALLER, PUBLIC_URL, TOKEN, Doors, opened_doors

FORM = {"CallSid": "CA1", "AccountSid": ACCOUNT_SID, "From": CALLER, "To": "+14155550100"}
ROUTES = ["/voice", "/voice/acme", "/voice/acme/billing", "/messages", "/messages/status/0123"]


def signature(url: str, params: object = None, token: str = TOKEN) -> str:
    return str(RequestValidator(token).compute_signature(url, params or {}))


@pytest.mark.parametrize("route", ROUTES)
def test_a_signed_form_gets_in_and_nothing_else(doors: Doors, route: str) -> None:
    signed = signature(PUBLIC_URL + route, FORM)
    assert doors.post(route, FORM).status_code == 200
    refused = [
        doors.post(route, FORM, sign=False),
        doors.post(route, FORM, headers={"X-Twilio-Signature": ""}),
        doors.post(route, FORM, headers={"X-Twilio-Signature": signature(PUBLIC_URL + route, FORM, "another token")}),
        doors.post(route, FORM | {"Digits": "1"}, headers={"X-Twilio-Signature": signed}),
        doors.post(f"{route}?x=1", FORM, headers={"X-Twilio-Signature": signed}),
        doors.post(route, FORM | {"AccountSid": "AC" + "1" * 32}),
        doors.post(route, FORM | {"AccountSid": [ACCOUNT_SID, "AC" + "1" * 32]}),
        doors.post(
            route,
            FORM,
            headers={"X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"},
        ),
    ]
    for answer in refused:
        assert answer.status_code == 403
        assert answer.data == b"forbidden"


def test_why_it_was_refused_is_in_our_log_only(doors: Doors, logged: io.StringIO) -> None:
    doors.post("/voice", FORM, headers={"X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256"})
    line = json.loads(logged.getvalue().splitlines()[-1])
    assert line["event"] == "webhook_refused"
    assert "SharedKey" in line["reason"]


def test_a_replay_is_harmless_not_refused(doors: Doors) -> None:
    assert doors.post("/voice", FORM).data == doors.post("/voice", FORM).data


def test_size_comes_before_everything(doors: Doors) -> None:
    assert doors.client.post("/voice", data=b"x" * 65_537).status_code == 413
    assert doors.client.post("/voice", data=b"x" * 65_536).status_code == 403
    no_length = doors.client.open(
        "/voice", method="POST", environ_overrides={"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    )
    assert no_length.status_code == 413


@pytest.mark.parametrize("path", [
    "/voice/acme/billing?step=answer&x=%28415%29", "/voice/acme/billing?x=%7E%27%2C%3A%2F",
    "/voice/acme/billing/", "/voice/acme/", "/voice/", "/voice/acme/caf%C3%A9?n=K%C3%B6ln",
])  # fmt: skip
def test_the_signature_covers_the_raw_path_and_query(doors: Doors, path: str) -> None:
    assert doors.post(path, FORM).status_code == 200


def test_the_signature_covers_the_url_byte_for_byte(doors: Doors) -> None:
    """The library alone would drop a question mark with nothing behind it."""
    signed = {"X-Twilio-Signature": signature(f"{PUBLIC_URL}/voice?", FORM)}
    asked = {"RAW_URI": "/voice?"}
    assert doors.post("/voice", FORM, headers=signed, environ_overrides=asked).status_code == 200


def test_a_signature_with_the_port_passes_as_the_library_does(doors: Doors) -> None:
    signed = signature("https://ivr.example.com:443/voice", FORM)
    assert doors.post("/voice", FORM, headers={"X-Twilio-Signature": signed}).status_code == 200


def test_the_fragment_of_a_pointed_url_is_neither_sent_nor_signed(doors: Doors) -> None:
    """Twilio keeps connection overrides to itself: a message URL is requested and signed without its `#…`."""
    pointed = text_url(doors.runtime.settings)
    assert pointed == f"{PUBLIC_URL}/messages#rc=3&rp=5xx,ct,rt"
    form = FORM | {"MessageSid": "SM" + "1" * 32, "Body": "Hello"}
    requested = urldefrag(pointed).url
    assert doors.post(requested.removeprefix(PUBLIC_URL), form).status_code == 200
    kept = {"X-Twilio-Signature": signature(pointed, form)}
    assert doors.post("/messages", form, headers=kept).status_code == 403, "a signature over another URL"


def test_a_json_body_is_signed_by_its_hash(doors: Doors) -> None:
    body = json.dumps({"CallSid": "CA1"}).encode()
    path = f"/messages?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"X-Twilio-Signature": signature(PUBLIC_URL + path)}

    def post(path: str, body: bytes) -> int:
        return doors.client.post(path, data=body, headers=headers, content_type="application/json").status_code

    assert post(path, body) == 200
    assert post(path, body + b" ") == 403
    unhashed = {"X-Twilio-Signature": signature(f"{PUBLIC_URL}/messages")}
    answer = doors.client.post("/messages", data=body, headers=unhashed, content_type="application/json")
    assert answer.status_code == 403, "a JSON body that no hash covers"


@pytest.mark.parametrize(
    "query", ["", "?bodySHA256=", "?xbodySHA256=1", "?bodySHA256=%00", "?bodySHA256=1&bodySHA256="]
)
def test_a_json_body_that_no_hash_covers_is_refused(doors: Doors, query: str) -> None:
    headers = {"X-Twilio-Signature": signature(f"{PUBLIC_URL}/voice{query}")}
    answer = doors.client.post(f"/voice{query}", data=b'{"a": 1}', headers=headers, content_type="application/json")
    assert answer.status_code == 403


def test_a_json_body_is_not_signed_as_a_form_is(doors: Doors) -> None:
    body = json.dumps(FORM).encode()
    path = f"/voice?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"X-Twilio-Signature": signature(PUBLIC_URL + path, FORM)}
    assert doors.client.post(path, data=body, headers=headers, content_type="application/json").status_code == 403


@pytest.mark.parametrize("given", ["\xe9", "\xff" * 28, "=" * 28, " "])
def test_whatever_stands_in_the_place_of_a_signature_is_refused(doors: Doors, given: str) -> None:
    sent = {"HTTP_X_TWILIO_SIGNATURE": given}
    assert doors.post("/voice", FORM, sign=False, environ_overrides=sent).status_code == 403


def test_another_kind_of_body_is_no_form(doors: Doors) -> None:
    headers = {"X-Twilio-Signature": signature(f"{PUBLIC_URL}/voice", FORM)}
    answer = doors.client.post("/voice", data=urlencode(FORM), headers=headers, content_type="text/plain")
    assert answer.status_code == 403


def test_every_value_of_a_name_is_signed(doors: Doors) -> None:
    assert doors.post("/voice", FORM | {"Digits": ["1", "2"]}).status_code == 200


def test_only_post(doors: Doors) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        assert doors.client.open("/voice/acme/billing", method=method).status_code == 405


def test_no_redirect_ever(doors: Doors) -> None:
    for path in ("/voice/", "/voice/acme/", "/voice/acme/billing/", "//voice", "/voice//acme", "/messages/"):
        assert doors.client.post(path, data=FORM).status_code in (403, 404)


def test_without_a_token_everything_is_refused(tmp_path: Path) -> None:
    with opened_doors(
        f"sqlite:///{tmp_path}/ivr.db", load_directory(ROOT / "flows").flows, TWILIO_AUTH_TOKEN=""
    ) as doors:
        assert doors.post("/voice", FORM).status_code == 403
        assert (
            doors.post(
                "/voice", FORM, headers={"X-Twilio-Signature": signature(f"{PUBLIC_URL}/voice", FORM, "")}
            ).status_code
            == 403
        )


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection's two ends: ours and the other side's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_body_that_is_not_there_in_time_is_read_no_more(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    begun = time.monotonic()
    with pytest.raises(TimeoutError), _Watch().reading(ours, 0.1):
        theirs.sendall(b"x")
        assert ours.recv(1) == b"x"
        assert ours.recv(1) == b""
    assert time.monotonic() - begun < 1.0
    ours.sendall(b"408")
    assert theirs.recv(3) == b"408", "the answer still goes out"


def test_whatever_else_befalls_the_reading_it_took_too_long(ends: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TimeoutError), _Watch().reading(ends[0], 0.1):
        raise ValueError(f"a chunk that ends in {ends[0].recv(1)!r}")
    with pytest.raises(ValueError, match="before"), _Watch().reading(ends[0], 5.0):
        raise ValueError("before its time was up")


def test_a_body_that_is_there_in_time_leaves_the_connection_as_it_was(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    watch = _Watch()
    with watch.reading(ours, 0.05):
        theirs.sendall(b"x")
        assert ours.recv(1) == b"x"
    late, other = socket.socketpair()
    with late, other, pytest.raises(TimeoutError), watch.reading(late, 0.2):
        assert late.recv(1) == b"", "so long that the first one's time is over"
    theirs.sendall(b"the next request")
    assert ours.recv(16) == b"the next request"


def test_who_comes_later_with_less_time_ends_first(ends: tuple[socket.socket, socket.socket]) -> None:
    watch, (later, other) = _Watch(), socket.socketpair()
    with later, other, pytest.raises(TimeoutError), watch.reading(ends[0], 5.0), watch.reading(later, 0.1):
        assert later.recv(1) == b""
