"""Definitions in the shapes that real exports have, for tests to plant faults in."""

from typing import Any


def state(name: str, kind: str, ways: dict[str, str], **properties: Any) -> dict[str, Any]:
    """`ways`: event to the next state; "" is an event that is listed and leads nowhere."""
    transitions = [{"event": event, "next": leads} if leads else {"event": event} for event, leads in ways.items()]
    return {
        "name": name,
        "type": kind,
        "transitions": transitions,
        "properties": {"offset": {"x": 0, "y": 250}, **properties},
    }


def match(value: str, leads: str, operator: str = "equal_to", asked: str = "{{widgets.menu.Digits}}") -> dict[str, Any]:
    condition = {
        "friendly_name": f"If value {operator} {value}",
        "arguments": [asked],
        "type": operator,
        "value": value,
    }
    return {"event": "match", "next": leads, "conditions": [condition]}


def split(name: str, matches: list[dict[str, Any]], otherwise: str, asked: str) -> dict[str, Any]:
    made = state(name, "split-based-on", {"noMatch": otherwise}, input=asked)
    made["transitions"] += matches
    return made


def flow(*states: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": "A flow",
        "states": list(states),
        "initial_state": "Trigger",
        "flags": {"allow_concurrent_calls": True},
    }


REDIRECT = "https://ivr.example.com/voice/acme/billing?flow={{flow.flow_sid}}&exec={{flow.sid}}"


def everything() -> dict[str, Any]:
    """Each widget that is described, wired as people wire them; no finding."""
    return flow(
        state("Trigger", "trigger", {"incomingMessage": "", "incomingCall": "menu", "incomingRequest": ""}),
        state(
            "menu",
            "gather-input-on-call",
            {"keypress": "chosen", "speech": "chosen", "timeout": "count"},
            say="For billing, press 1.",
            voice="Polly.Joanna",
            language="en-US",
            loop=1,
            timeout=5,
            finish_on_key="",
            stop_gather=True,
            number_of_digits=1,
            gather_language="en-US",
            speech_timeout="auto",
            speech_model="default",
            hints="billing, bookings",
            profanity_filter="true",
        ),
        state("count", "set-variables", {"next": "menu"}, variables=[{"key": "n", "value": "1", "index": "0"}]),
        split(
            "chosen",
            [
                match("1", "deflect"),
                match("2,3", "text", "matches_any_of"),
                match("agent", "ask", "contains"),
                match("4", "lookup"),
                match("5", "flex"),
                match(r"\d{2}", "function", "regex"),
                match("", "sub", "is_blank"),
                match("08:00", "voicemail", "is_before_time"),
                match("2027-01-31", "flex", "is_after_date"),
                {**match("9", ""), "next": ""},
            ],
            "sorry",
            "{{widgets.menu.Digits}}",
        ),
        state(
            "deflect",
            "add-twiml-redirect",
            {"return": "queue", "timeout": "queue", "fail": "queue"},
            method="POST",
            url=REDIRECT,
            timeout="14400",
        ),
        state("queue", "enqueue-call", {"callComplete": "", "failedToEnqueue": "dial", "callFailure": ""}, queue_name="q", priority=0),
        state("dial", "connect-call-to", {"callCompleted": ""}, noun="number", to="+14155550199", caller_id="{{contact.channel.address}}", timeout=30, record=False),
        state(
            "text",
            "send-message",
            {"sent": "", "failed": "dial"},
            **{"from": "{{flow.channel.address}}", "to": "{{contact.channel.address}}", "body": "Hello", "shorten_urls": True},
            service="{{trigger.message.InstanceSid}}",
            channel="{{trigger.message.ChannelSid}}",
            content_variables=[{"key": "1", "value": "x"}],
        ),
        state("ask", "send-and-wait-for-reply", {"incomingMessage": "", "timeout": "", "deliveryFailure": ""}, **{"from": "{{flow.channel.address}}", "body": "Well?", "timeout": "3600"}),
        state("lookup", "make-http-request", {"success": "", "failed": ""}, method="GET", content_type="application/x-www-form-urlencoded;charset=utf-8", url="https://a.example/?who={{widgets.menu.Digits}}", parameters=[{"key": "k", "value": "{{flow.variables.n}}"}], add_twilio_auth=False),
        state("function", "run-function", {"success": "", "fail": ""}, url="https://f.example/x", service_sid="ZS1", environment_sid="ZE1", function_sid="ZH1", parameters=[]),
        state("flex", "send-to-flex", {"callComplete": "", "failedToEnqueue": "", "callFailure": ""}, workflow="WW1", channel="TC1", attributes="{}", priority="0", waitUrl="https://a.example", waitUrlMethod="POST"),
        state("sub", "run-subflow", {"completed": "", "failed": ""}, flow_sid="FW" + "0" * 32, flow_revision="LatestPublished", parameters=[]),
        state("voicemail", "record-voicemail", {"recordingComplete": "", "noAudio": "", "hangup": ""}, transcribe=False, trim="trim-silence", play_beep="true", timeout=5, max_length=60, finish_on_key="#"),
        state("sorry", "say-play", {"audioComplete": ""}, say="Goodbye.", loop=1),
    )  # fmt: skip
