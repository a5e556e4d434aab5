"""The phone box: play a call, and read what the handsets got, with curl."""

from collections.abc import Callable

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as Answer

from ivr.sandbox.carrier import HANDSETS, Carrier
from ivr.sandbox.own_page import refuse_strangers
from ivr.sandbox.phone import AGENTS
from ivr.sandbox.rest import DAYS
from ivr.sandbox.scene import CALLER, Scene, TownError
from ivr.sandbox.transcript import Transcript

HOW_TO = """\
This is a simulation of Twilio and its phones. Nothing here reaches a real phone. In a browser this is a phone.

Play a call:       curl {url}calls -d brand=acme -d press=2,1 -d text='Where is my booking?'
                   also: branch, from, dial; handset: {handsets};
                   twilio: {days}; agents: {agents}
Read the handsets: curl {url}texts
"""


def phone_box(play: Callable[[Scene], Transcript], carrier: Carrier) -> Blueprint:
    blueprint = Blueprint("phone_box", __name__)

    blueprint.before_request(refuse_strangers)

    @blueprint.get("/")
    def how_to() -> Answer:
        if request.accept_mimetypes.best_match(["text/plain", "text/html"]) == "text/html":
            return redirect("/phone/")
        words = {"handsets": ", ".join(HANDSETS), "days": ", ".join(DAYS), "agents": ", ".join(AGENTS)}
        return _plain(HOW_TO.format(url=request.url_root, **words))

    @blueprint.post("/calls")
    def call() -> Response:
        form = request.form
        for name, allowed in (("handset", HANDSETS), ("twilio", DAYS), ("agents", AGENTS)):
            if form.get(name) and form[name] not in allowed:
                return _plain(f"{name} is one of: {', '.join(allowed)}\n", 400)
        scene = Scene(
            brand=form.get("brand", ""),
            branch=form.get("branch", ""),
            caller=form.get("from", CALLER),
            dialled=form.get("dial", ""),
            keys=form.get("press", "").split(","),
            texts=form.getlist("text"),
            handset=form.get("handset", "mobile"),
            twilio=form.get("twilio", "up"),
            agents=form.get("agents", "free"),
        )
        try:
            return _plain(f"{play(scene)}\n")
        except TownError as error:
            return _plain(f"{error}\n", 404)

    @blueprint.get("/texts")
    def texts() -> Response:
        return _plain("".join(f"{text['to']}  {text['status']:<11}  {text['body']}\n" for text in carrier.texts))

    return blueprint


def _plain(text: str, status: int = 200) -> Response:
    return Response(text, status, mimetype="text/plain")
