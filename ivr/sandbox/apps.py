"""The brand's app in the town: Google's FCM, a push service of the brand's own, and the phone that shows the push."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Blueprint, Flask, Response, jsonify, request

from ivr.clients.signature import SIGNATURE_HEADER, verify
from ivr.flow import source
from ivr.flow.load import files_in
from ivr.flow.model import Flow
from ivr.flow.push import Fcm, PushService

PROJECT, ACCESS_TOKEN = "a-simulated-project", "a-simulated-access-token"
SECRET_ENV, SECRET = "SANDBOX_PUSH_SECRET", "a-simulated-push-service-has-no-secret"
DEVICE = "a-simulated-device"


@dataclass(slots=True)
class Apps:
    """Whose app is there. `shown` is told each push once, however often it comes."""

    shown: Callable[[str], None] = lambda _words: None
    installed: bool = True
    pushes: list[Mapping[str, Any]] = field(default_factory=list)
    _tags: set[str] = field(default_factory=set)

    def take(self, tag: str, words: str, push: Mapping[str, Any]) -> None:
        self.pushes.append(push)
        if tag not in self._tags:  # a repeat takes the place of what is shown
            self._tags.add(tag)
            self.shown(words)


def google(apps: Apps) -> Blueprint:
    """FCM HTTP v1 and where its access tokens come from."""
    blueprint = Blueprint("fcm", __name__)

    @blueprint.post("/token")
    def token() -> Response:
        if "assertion" not in request.form:
            return _answer(400, {"error": "invalid_grant"})
        return _answer(200, {"access_token": ACCESS_TOKEN, "expires_in": 3600, "token_type": "Bearer"})

    @blueprint.post(f"/v1/projects/{PROJECT}/messages:send")
    def send() -> Response:
        if request.headers.get("Authorization") != f"Bearer {ACCESS_TOKEN}":
            return _refusal(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR")
        message = request.get_json()["message"]
        if any(not isinstance(value, str) for value in message.get("data", {}).values()):
            return _refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
        if not apps.installed:
            return _refusal(404, "NOT_FOUND", "UNREGISTERED")
        apps.take(message["android"]["collapse_key"], message["notification"]["body"], message)
        return _answer(200, {"name": f"projects/{PROJECT}/messages/{len(apps.pushes)}"})

    return blueprint


def push_service(apps: Apps) -> Blueprint:
    blueprint = Blueprint("push_service", __name__)

    @blueprint.post("/push")
    def push() -> Response:
        if not verify(SECRET, request.headers.get(SIGNATURE_HEADER, ""), request.get_data(), datetime.now(UTC)):
            return _answer(403, {})
        if not apps.installed:
            return _answer(404, {})
        told = request.get_json()
        apps.take(told["idempotency_key"], told["message"], told)
        return _answer(200, {})

    return blueprint


def register(rest: Flask, apps: Apps, shown: Callable[[str], None]) -> None:
    """`shown` is told what the phone shows."""
    apps.shown = shown
    rest.register_blueprint(google(apps))
    rest.register_blueprint(push_service(apps))


def service_account() -> str:
    """A key as Firebase makes them, for a project that is nowhere."""
    made = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key": made.decode(),
            "client_email": f"push@{PROJECT}.iam.gserviceaccount.com",
            "token_uri": "https://oauth2.googleapis.com/token",
        }
    )


def environment(flows: Mapping[str, Flow], port: int) -> dict[str, str]:
    """What brands' files name of their apps: keys that open nothing, and a directory that is not there."""
    found = {"FCM_API_URL": f"http://127.0.0.1:{port}"}
    for flow in flows.values():
        if flow.push and isinstance(flow.push.by, Fcm):
            found[flow.push.by.key_env] = service_account()
        elif flow.push and isinstance(flow.push.by, PushService):
            found[flow.push.by.secret_env] = SECRET
        if flow.consumers:
            found[flow.consumers.url_env] = "sqlite:////there-is-none-in-the-sandbox"
    return found


def with_app(flows_dir: Path, brand: str, sandbox_url: str, to: Path) -> bool:
    """Copy the brands' files to `to`, this brand's with an app that the town can push to.

    FCM stays FCM; a push service is the town's; who uses the app is in the embedded directory. Whether the file had
    no app of its own.
    """
    to.mkdir(parents=True, exist_ok=True)
    lacked = False
    for file in files_in([flows_dir]):
        if file.stem != brand:
            (to / file.name).write_bytes(file.read_bytes())
            continue
        data = dict(source.read(file.read_bytes(), str(file)).data)
        lacked = "push" not in data
        if "fcm" not in data.get("push", {}):
            kept = {name: value for name, value in data.get("push", {}).items() if name != "webhook"}
            service = {"url": f"{sandbox_url}/push", "secret_env": SECRET_ENV, "allow_private": "yes"}
            data["push"] = {**kept, "webhook": service}
        if lacked:
            data["channels"] = ["push", "sms"]
        data.pop("consumers", None)
        (to / file.name).write_text(json.dumps(data), encoding="utf-8")
    return lacked


def _answer(status: int, body: Mapping[str, Any]) -> Response:
    answer = jsonify(body)
    answer.status_code = status
    return answer


def _refusal(status: int, said: str, code: str) -> Response:
    detail = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}
    return _answer(status, {"error": {"code": status, "message": said, "status": said, "details": [detail]}})
