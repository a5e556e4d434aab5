"""What the offer is compared to: the least that answers a signed webhook with its TwiML, and keeps nothing."""

import os

from flask import Flask, Response, abort, request
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Gather, Say, VoiceResponse

from tests.bench.flows import OFFER

app = Flask("plain", static_folder=None)
validator = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])


@app.post("/voice/acme/billing")
def offer() -> Response:
    """As Twilio's own guide for Flask writes it."""
    if not validator.validate(request.url, request.form, request.headers.get("X-Twilio-Signature", "")):
        abort(403)
    response = VoiceResponse()
    action = "/voice/acme/billing?step=answer"
    gather = Gather(input="dtmf", num_digits=1, timeout=5, finish_on_key="", action=action, method="POST")
    say = Say(None, voice="Polly.Joanna-Neural", language="en-US")
    say.append(OFFER)
    gather.append(say)
    response.append(gather)
    response.enqueue("billing", action="/voice/acme/billing?step=queued", method="POST")
    return Response(str(response), mimetype="text/xml")


@app.post("/messages")
def text() -> Response:
    if not validator.validate(request.url, request.form, request.headers.get("X-Twilio-Signature", "")):
        abort(403)
    return Response(str(MessagingResponse()), mimetype="text/xml")
