"""A LivePerson that takes its time to take a text: discovery and tokens at once, messaging a moment after it was asked."""

import asyncio
import itertools
import json
import multiprocessing
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from ivr.sandbox import tokens
from ivr.sandbox.town import LIVEPERSON_ACCOUNT, LIVEPERSON_CLIENT_ID, LIVEPERSON_CLIENT_SECRET

SETTINGS = {
    "LIVEPERSON_ACCOUNT": LIVEPERSON_ACCOUNT,
    "LIVEPERSON_CLIENT_ID": LIVEPERSON_CLIENT_ID,
    "LIVEPERSON_CLIENT_SECRET": LIVEPERSON_CLIENT_SECRET,
}


@dataclass
class SlowDesk:
    url: str
    told: Connection

    def published(self) -> dict[str, list[tuple[float, str]]]:
        """What each conversation got so far, and when (time.monotonic)."""
        self.told.send("tell")
        found: dict[str, list[tuple[float, str]]] = self.told.recv()
        return found


@contextmanager
def slow_desk(seconds: float) -> Iterator[SlowDesk]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(theirs, seconds), daemon=True)
    process.start()
    try:
        yield SlowDesk(f"http://127.0.0.1:{ours.recv()}", ours)
    finally:
        process.kill()
        process.join()


def _serve(told: Connection, seconds: float) -> None:
    asyncio.run(_Desk(told, seconds).listen())


@dataclass
class _Desk:
    told: Connection
    seconds: float
    got: dict[str, list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))
    port: int = 0
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def listen(self) -> None:
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.told.send(self.port)
        asyncio.get_running_loop().add_reader(self.told.fileno(), self._tell)
        await server.serve_forever()

    def _tell(self) -> None:
        self.told.recv()
        self.told.send(dict(self.got))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                body = await reader.readexactly(_length(head))
                path = head.split(" ", 2)[1]
                if "/messaging/" in path:
                    arrived = time.monotonic()
                    await asyncio.sleep(self.seconds)
                    answer = self._messaging(json.loads(body), arrived)
                else:
                    answer = self._other(path)
                written = json.dumps(answer).encode()
                status = b"201 Created" if "/consumer?" in path else b"200 OK"
                writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(written), written))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _messaging(self, asked: Any, arrived: float) -> Any:
        if isinstance(asked, list):
            conversation = f"c-{next(self.numbers)}"
            bodies: list[dict[str, Any]] = [{"msg": "OK"}, {"conversationId": conversation}]
            return [{"code": "OK", "reqId": one["id"], "body": body} for one, body in zip(asked, bodies, strict=True)]
        texts = self.got[asked["body"]["conversationId"]]
        texts.append((arrived, asked["body"]["event"]["message"]))
        return {"code": "OK", "reqId": asked["id"], "body": {"sequence": len(texts) - 1}}

    def _other(self, path: str) -> Any:
        if "/service/" in path:
            name = path.split("/service/")[1].split("/", maxsplit=1)[0]
            return {"service": name, "account": LIVEPERSON_ACCOUNT, "baseURI": f"127.0.0.1:{self.port}"}
        if "/app/token" in path:
            claims = {"iss": "Sentinel", "exp": int(time.time()) + 3600}
            return {"access_token": tokens.issue("app", claims, "x"), "token_type": "Bearer"}
        return {"token": tokens.issue("jws", {"lp_consumer_id": f"{next(self.numbers):064x}"}, "x")}


def _length(head: str) -> int:
    lengths = (line.partition(":")[2] for line in head.split("\r\n") if line.lower().startswith("content-length:"))
    return int(next(lengths, "0"))
