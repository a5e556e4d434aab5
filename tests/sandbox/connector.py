"""A connector that asks the simulated LivePerson over real HTTP, and an app that takes its webhooks."""

import base64
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import requests
from flask import Flask, Response, request
from werkzeug.serving import make_server

from ivr.sandbox.clock import Clock
from ivr.sandbox.conversations import Conversation
from ivr.sandbox.desk import Desk
from ivr.sandbox.liveperson import liveperson_api

ACCOUNT, CLIENT, SECRET = "12345678", "0ff1ce00-0000-4000-8000-000000000001", "test-secret-0123456789"
PHONE = "+1(415) 555-2671"
PROFILE = {
    "authenticatedData": {
        "lp_sdes": [
            {"type": "ctmrinfo", "info": {"companyBranch": "billing", "socialId": "CA1"}},
            {"type": "personal", "personal": {"contacts": [{"phone": PHONE}]}},
        ]
    }
}
Json = dict[str, Any]


class Town:
    """A desk at a real port, and an app that takes its webhooks; `statuses`: what the app answers, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, dict[str, str]]] = []
        self.statuses: list[int] = []
        self.told: list[str] = []
        self.go_on = Event()
        self.go_on.set()
        self.url = ""
        self.desk = Desk(Clock(), "", ACCOUNT, CLIENT, SECRET, opened=self._opened, published=self._published)

    def app(self) -> Flask:
        app = Flask("town", static_folder=None)
        app.register_blueprint(liveperson_api(self.desk))

        @app.post("/desk/liveperson")
        def take() -> Response:
            self.go_on.wait(30)
            self.got.append((request.get_data(), dict(request.headers)))
            return Response("", self.statuses.pop(0) if self.statuses else 200)

        return app

    def _opened(self, conversation: Conversation) -> None:
        self.told.append(f"opens, skill {conversation.skill}")

    def _published(self, _conversation: Conversation, text: str) -> None:
        self.told.append(text)

    # What a connector does.

    def token(self) -> str:
        url = f"{self.url}/sentinel/api/account/{ACCOUNT}/app/token?v=1.0&grant_type=client_credentials"
        answer = requests.post(url, data={"client_id": CLIENT, "client_secret": SECRET}, timeout=10)
        return str(answer.json()["access_token"])

    def jws(self, ext: str = "ann") -> str:
        url = f"{self.url}/api/account/{ACCOUNT}/consumer?v=1.0"
        answer = requests.post(url, json={"ext_consumer_id": ext}, headers={"Authorization": self.token()}, timeout=10)
        assert answer.status_code == 201
        return str(answer.json()["token"])

    def headers(self, ext: str = "ann") -> dict[str, str]:
        return {"Authorization": self.token(), "X-LP-ON-BEHALF": self.jws(ext)}

    def post(self, where: str, body: Any, headers: dict[str, str], seconds: float = 10) -> requests.Response:
        url = f"{self.url}/api/account/{ACCOUNT}/messaging/consumer/conversation{where}?v=3"
        return requests.post(url, json=body, headers=headers, timeout=seconds)

    def open(self, headers: dict[str, str], **wanted: Any) -> requests.Response:
        return self.post("", opening(**wanted), headers)

    def conversation(self, headers: dict[str, str], **wanted: Any) -> str:
        return str(self.open(headers, **wanted).json()[1]["body"]["conversationId"])

    def say(self, headers: dict[str, str], conversation: str, text: str, dialog: str = "") -> requests.Response:
        return self.post("/send", publishing(conversation, content(text), dialog), headers)

    def webhooks(self) -> list[Json]:
        """What the app got, every signature checked over the raw bytes."""
        self.desk.flush()
        for raw, headers in self.got:
            mac = base64.b64encode(hmac.digest(SECRET.encode(), raw, "sha1")).decode()
            assert headers["X-Liveperson-Signature"] == f"sha1={mac}"
            assert (headers["X-Liveperson-Account-Id"], headers["X-Liveperson-Client-Id"]) == (ACCOUNT, CLIENT)
        return [json.loads(raw) for raw, _ in self.got]

    def texts(self) -> list[str]:
        changes = [change for webhook in self.webhooks() for change in webhook["body"]["changes"]]
        return [change["event"]["message"] for change in changes if "message" in change.get("event", {})]


def opening(**wanted: Any) -> list[Json]:
    body = {"brandId": ACCOUNT, "channelType": "MESSAGING", "skillId": "1234", **wanted}
    return [
        {"kind": "req", "id": "a", "type": "userprofile.SetUserProfile", "body": PROFILE},
        {"kind": "req", "id": "b", "type": "cm.ConsumerRequestConversation", "body": body},
    ]


def content(text: str) -> Json:
    return {"type": "ContentEvent", "contentType": "text/plain", "message": text}


def sending(kind: str, body: Json) -> Json:
    return {"kind": "req", "id": "c", "type": kind, "body": body}


def publishing(conversation: str, event: Json, dialog: str = "") -> Json:
    body = {"dialogId": dialog or conversation, "conversationId": conversation, "event": event}
    return sending("ms.PublishEvent", body)


def closing(conversation: str) -> Json:
    field = {"field": "ConversationStateField", "conversationState": "CLOSE"}
    return sending("cm.UpdateConversationField", {"conversationId": conversation, "conversationField": field})


@contextmanager
def served(town: Town) -> Iterator[Town]:
    server = make_server("127.0.0.1", 0, town.app(), threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    town.url = f"http://127.0.0.1:{server.port}"
    town.desk.webhook_url = f"{town.url}/desk/liveperson"
    try:
        yield town
    finally:
        town.go_on.set()
        town.desk.stop()
        server.shutdown()
        thread.join()
        server.server_close()
