"""A Twilio that takes its time: it accepts every text, a moment after it was asked."""

import asyncio
import itertools
import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from functools import partial
from multiprocessing.connection import Connection
from urllib.parse import parse_qs

from ivr.sandbox.town import ACCOUNT_SID

SECONDS = 0.25

_numbers = itertools.count(1)


@contextmanager
def slow_twilio(seconds: float = SECONDS) -> Iterator[str]:
    """The URL of one, in a process of its own."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(theirs, seconds), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.kill()
        process.join()


def _serve(started: Connection, seconds: float) -> None:
    asyncio.run(_listen(started, seconds))


async def _listen(started: Connection, seconds: float) -> None:
    server = await asyncio.start_server(partial(_converse, seconds), "127.0.0.1", 0)
    started.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def _converse(seconds: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One kept connection: request, wait, answer, again."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            body = await reader.readexactly(_length(head))
            await asyncio.sleep(seconds)
            writer.write(_answer(head, body.decode("ascii")))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def _length(head: str) -> int:
    lengths = (line.partition(":")[2] for line in head.split("\r\n") if line.lower().startswith("content-length:"))
    return int(next(lengths, "0"))


def _answer(head: str, body: str) -> bytes:
    method, path, _ = head.split(" ", 2)
    if method != "POST" or not path.endswith("/Messages.json"):
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    text = json.dumps(_message({name: values[0] for name, values in parse_qs(body).items()})).encode()
    return b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text)


def _message(asked: dict[str, str]) -> dict[str, object]:
    sid, now = f"SM{next(_numbers):032x}", formatdate()
    uri = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/{sid}"
    return {
        "account_sid": ACCOUNT_SID,
        "api_version": "2010-04-01",
        "body": asked["Body"],
        "date_created": now,
        "date_sent": None,
        "date_updated": now,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": asked["From"],
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": asked["To"],
        "uri": f"{uri}.json",
    }
