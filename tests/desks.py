"""A desk to talk to: the simulated LivePerson on a real port, the doors in this process, and time in the test's hands."""

import base64
import hmac
import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from flask import Flask
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from ivr.app import create_app
from ivr.flow.load import load
from ivr.flow.model import Flow
from ivr.sandbox.clock import Clock
from ivr.sandbox.conversations import Conversation
from ivr.sandbox.desk import Desk
from ivr.sandbox.liveperson import liveperson_api
from ivr.sandbox.town import ROOT
from ivr.worker import Worker
from tests.doors import ACCOUNT_SID, CALLER, Doors, opened_doors
from tests.test_worker import at_once

ACCOUNT, CLIENT, SECRET = "12345678", "0ff1ce00-0000-4000-8000-000000000001", "test-secret-0123456789"
ACCEPT = "/voice/acme/billing?step=answer"
SENDER = "+14155550111"


@dataclass
class Talking:
    doors: Doors
    desk: Desk
    worker: Worker
    sids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def accepts(self, branch: str = "billing", caller: str = CALLER) -> None:
        """Somebody calls and says yes."""
        heard = self.doors.voice(f"/voice/acme/{branch}?step=answer", Digits="1", From=caller)
        assert heard.names[-1] == "Redirect", heard.words

    def writes(self, body: str | None, sid: str = "", consumer: str = CALLER, **more: str) -> None:
        self.doors.clock.pass_(milliseconds=1)
        form = {"MessageSid": sid or f"SMc{next(self.sids):031x}", "AccountSid": ACCOUNT_SID, "NumMedia": "0"}
        form |= {"From": consumer, "To": SENDER} | ({} if body is None else {"Body": body}) | more
        answer = self.doors.post("/messages", form)
        assert (answer.status_code, answer.data) == (200, b'<?xml version="1.0" encoding="UTF-8"?><Response/>')

    def works(self, seconds: float = 0.0, rounds: int = 6) -> None:
        """Time passes, and the worker and the desk's webhooks do what is due."""
        self.doors.clock.pass_(seconds=seconds)
        for _ in range(rounds):
            self.worker.round(at_once)
            self.desk.flush()

    def answers(self, *texts: str) -> None:
        for text in texts:
            self.desk.say(self.conversation.id, text)
        self.desk.flush()
        self.works(2)

    @property
    def conversation(self) -> Conversation:
        return self.desk.conversations[-1]

    def at_desk(self, role: str = "CONSUMER") -> list[str]:
        """What was said in every conversation, in their order."""
        return [text for one in self.desk.conversations for _, who, text in one.texts if who == role]

    def texted(self) -> list[str]:
        """What Twilio was asked to send after the greeting."""
        return [str(sent["body"]) for sent in self.doors.twilio.sent]

    def states(self, kind: str) -> list[str]:
        rows = self.doors.rows("SELECT state FROM messages WHERE kind = :kind ORDER BY created_at, id", kind=kind)
        return [row[0] for row in rows]

    def told(self, type_: str, *changes: Mapping[str, Any], secret: str = SECRET, **headers: str) -> TestResponse:
        """A webhook of LivePerson's, made up."""
        body = json.dumps({"kind": "notification", "type": type_, "body": {"changes": list(changes)}}).encode()
        return self.posted(body, secret, **headers)

    def posted(self, body: bytes, secret: str = SECRET, **headers: str) -> TestResponse:
        mac = base64.b64encode(hmac.digest(secret.encode(), body, "sha1")).decode()
        signed = {"x-liveperson-account-id": ACCOUNT, "x-liveperson-signature": f"sha1={mac}"}
        return self.doors.client.post("/desk/liveperson", data=body, headers={**signed, **headers})


def said(conversation: str, sequence: Any, text: str, **more: Any) -> dict[str, Any]:
    """An agent's words, as a webhook has them."""
    return {
        "sequence": sequence,
        "originatorId": "agent-1",
        "originatorMetadata": {"id": "agent-1", "role": "ASSIGNED_AGENT"},
        "serverTimestamp": 1772461325000 + (sequence if isinstance(sequence, int) else 0),
        "event": {"type": "ContentEvent", "message": text, "contentType": "text/plain"},
        "conversationId": conversation,
        "dialogId": conversation,
        **more,
    }


MESSAGE, CHANGE = "ms.MessagingEventNotification", "cqm.ExConversationChangeNotification"


def brand(directory: Path, name: str = "acme", change: Callable[[dict[str, Any]], Any] = lambda _data: None) -> Flow:
    """A shipped brand, changed in some way."""
    data = yaml.load((ROOT / "flows" / f"{name}.yaml").read_text(), yaml.BaseLoader)
    change(data)
    file = directory / f"{name}.yaml"
    file.write_text(json.dumps(data), encoding="utf-8")
    loaded = load([file])
    assert not loaded.errors, loaded.errors
    return loaded.flows[name]


@contextmanager
def talking(database_url: str, flows: Mapping[str, Flow], first_id: int = 10**6, **settings: str) -> Iterator[Talking]:
    apps: list[Flask] = []
    desk = Desk(Clock(), "", ACCOUNT, CLIENT, SECRET)
    simulated = Flask("liveperson", static_folder=None)
    simulated.register_blueprint(liveperson_api(desk))

    def either(environ: Any, start_response: Any) -> Any:
        ours = environ["PATH_INFO"].startswith(("/desk/", "/files/"))
        return (apps[0] if ours else simulated)(environ, start_response)

    server = make_server("127.0.0.1", 0, either, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    url = f"http://127.0.0.1:{server.port}"
    configured = {
        "LIVEPERSON_ACCOUNT": ACCOUNT,
        "LIVEPERSON_CLIENT_ID": CLIENT,
        "LIVEPERSON_CLIENT_SECRET": SECRET,
        "LIVEPERSON_API_URL": url,
        **settings,
    }
    with opened_doors(database_url, flows, None, {}, first_id, None, **configured) as doors:
        desk.webhook_url, desk.now = f"{url}/desk/liveperson", lambda: doors.clock.now.timestamp()
        apps.append(create_app(doors.runtime))
        thread.start()
        try:
            yield Talking(doors, desk, Worker(doors.runtime))
        finally:
            desk.stop()
            server.shutdown()
            thread.join()
            server.server_close()
