"""The widgets: for each type that Studio knows, its events, and its properties with their JSON types."""

from collections.abc import Mapping
from dataclasses import dataclass

from ivr.studio.kinds import BOOLEAN, TEXT, Kind, one_of, rows, text, whole

REDIRECT_SECONDS = text('"0" to "14400"', r"\d{1,4}|1[0-3]\d{3}|14[0-3]\d{2}|14400")
_SECONDS = text("seconds, as a text", r"\d{1,9}")
_METHOD = one_of("GET", "POST", liquid=True)
_YES_NO = one_of("true", "false", liquid=True)
_PAIRS = rows({"key": TEXT, "value": TEXT}, "key", "value")
_FLOW_SID = text("a literal flow SID: FW and 32 hex digits", r"FW[0-9a-f]{32}", liquid=False)
_MESSAGE: Mapping[str, Kind] = {
    "from": TEXT,
    "to": TEXT,
    "body": TEXT,
    "media_url": TEXT,
    "service": TEXT,
    "channel": TEXT,
    "attributes": TEXT,
    "message_type": one_of("custom", "content_template"),
    "content_sid": TEXT,
    "content_variables": _PAIRS,
}
_SPOKEN: Mapping[str, Kind] = {"say": TEXT, "play": TEXT, "voice": TEXT, "language": TEXT}


@dataclass(frozen=True, slots=True)
class Widget:
    """`expected`: what Twilio's schema wants and real exports go without at times. `either`: exactly one of these.

    `silent`: real exports have none of `either` at times.
    """

    events: tuple[str, ...]
    properties: Mapping[str, Kind]
    needed: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    silent: bool = False


WIDGETS: Mapping[str, Widget] = {
    "trigger": Widget(
        ("incomingMessage", "incomingCall", "incomingConversationMessage", "incomingRequest", "incomingParent"), {}
    ),
    "gather-input-on-call": Widget(
        ("keypress", "speech", "timeout"),
        {
            **_SPOKEN,
            "loop": whole(1, 99),
            "timeout": whole(0, 30),
            "finish_on_key": text('one key, or ""', r"[0-9*#]?"),
            "stop_gather": BOOLEAN,
            "number_of_digits": whole(1),
            "hints": TEXT,
            "gather_language": TEXT,
            "speech_timeout": text('"auto", or seconds as a text', r"auto|\d{1,4}"),
            "speech_model": TEXT,
            "profanity_filter": _YES_NO,
            "save_response_as": TEXT,
        },
        either=("say", "play"),
        silent=True,
    ),
    "split-based-on": Widget(("match", "noMatch"), {"input": TEXT}, ("input",)),
    "say-play": Widget(
        ("audioComplete",), {**_SPOKEN, "digits": TEXT, "loop": whole(0)}, either=("say", "play", "digits")
    ),
    "send-message": Widget(("sent", "failed"), {**_MESSAGE, "shorten_urls": BOOLEAN}, ("from",)),
    "send-and-wait-for-reply": Widget(
        ("incomingMessage", "timeout", "deliveryFailure"),
        {**_MESSAGE, "timeout": Kind(("string", "integer")), "save_response_as": TEXT},
        ("from",),
        ("body",),  # a content template has none
    ),
    "make-http-request": Widget(
        ("success", "failed"),
        {
            "method": _METHOD,
            "url": TEXT,
            "content_type": TEXT,
            "body": TEXT,
            "parameters": _PAIRS,
            "add_twilio_auth": BOOLEAN,
        },
        ("url",),
    ),
    "run-function": Widget(
        ("success", "fail"),
        {"url": TEXT, "service_sid": TEXT, "environment_sid": TEXT, "function_sid": TEXT, "parameters": _PAIRS},
        ("url",),
    ),
    "connect-call-to": Widget(
        ("callCompleted", "hangup"),
        {
            "noun": one_of("number", "number-multi", "client", "sip", "sim", "conference"),
            "to": TEXT,
            "caller_id": TEXT,
            "record": BOOLEAN,
            "timeout": whole(1, 600),
            "time_limit": _SECONDS,
            "sip_endpoint": TEXT,
            "sip_username": TEXT,
            "sip_password": TEXT,
        },
        ("noun",),
    ),
    "enqueue-call": Widget(
        ("callComplete", "failedToEnqueue", "callFailure"),
        {
            "queue_name": TEXT,
            "workflow_sid": TEXT,
            "task_attributes": TEXT,
            "priority": whole(),
            "timeout": whole(),
            "wait_url": TEXT,
            "wait_url_method": _METHOD,
        },
        either=("queue_name", "workflow_sid"),
    ),
    "add-twiml-redirect": Widget(
        ("return", "timeout", "fail"), {"url": TEXT, "method": _METHOD, "timeout": REDIRECT_SECONDS}, ("url",)
    ),
    "set-variables": Widget(
        ("next",),
        {
            "variables": rows(
                {"key": TEXT, "value": TEXT, "index": TEXT, "type": TEXT, "parse_as_json": BOOLEAN}, "key", "value"
            )
        },
    ),
    "send-to-flex": Widget(
        ("callComplete", "failedToEnqueue", "callFailure", "composerStarted"),
        {
            "workflow": TEXT,
            "channel": TEXT,
            "attributes": TEXT,
            "timeout": _SECONDS,
            "priority": TEXT,
            "waitUrl": TEXT,
            "waitUrlMethod": _METHOD,
        },
        expected=("workflow", "channel"),
    ),
    "run-subflow": Widget(
        ("completed", "failed"),
        {
            "flow_sid": _FLOW_SID,
            "flow_revision": text("LatestPublished, LatestDraft or a number", r"LatestPublished|LatestDraft|\d{1,9}"),
            "parameters": _PAIRS,
        },
        ("flow_sid", "flow_revision"),
    ),
    "record-voicemail": Widget(
        ("recordingComplete", "noAudio", "hangup"),
        {
            "timeout": whole(),
            "finish_on_key": TEXT,
            "max_length": whole(),
            "transcribe": BOOLEAN,
            "transcription_callback_url": TEXT,
            "trim": TEXT,
            "play_beep": _YES_NO,
            "recording_status_callback_url": TEXT,
        },
    ),
}

# Studio has these too; what they may hold is published nowhere that we could read, so only their frame is judged.
UNDESCRIBED = frozenset(
    [
        "add-member-to-chat-channel",
        "capture-payments",
        "create-chat-channel",
        "create-task",
        "fork-stream",
        "make-outgoing-call-v1",
        "make-outgoing-call-v2",
        "record-call",
        "run-function-v2",
        "understand",
        "update-sync-object",
        "connect-virtual-agent",
        "connect-virtual-agent-v2",
        "start-conversation",
        "resume-conversation",
        "run-conversation-relay",
    ]
)
TYPES = frozenset(WIDGETS) | UNDESCRIBED

# What people write by hand, from other descriptions or other products.
MEANT_TYPES = {
    "http-request": "make-http-request",
    "webhook": "make-http-request",
    "say": "say-play",
    "play": "say-play",
    "gather": "gather-input-on-call",
    "split": "split-based-on",
    "enqueue": "enqueue-call",
    "dial": "connect-call-to",
    "redirect": "add-twiml-redirect",
}
ENDINGS = frozenset({"hangup", "hang-up", "hang_up", "end", "endCall", "end-call"})
MEANT = {
    "num_digits": "number_of_digits",
    "numDigits": "number_of_digits",
    "speech_recognition_language": "gather_language",
    "send_twilio_credentials": "add_twilio_auth",
    "contentType": "content_type",
    "finishOnKey": "finish_on_key",
    "maxLength": "max_length",
    "speechTimeout": "speech_timeout",
    "callerId": "caller_id",
    "queueName": "queue_name",
    "workflowSid": "workflow_sid",
    "wait_url": "waitUrl",
    "wait_url_method": "waitUrlMethod",
    "text": "say",
    "message": "body",
}
OPERATORS = frozenset(
    [
        "equal_to",
        "not_equal_to",
        "matches_any_of",
        "does_not_match_any_of",
        "is_blank",
        "is_not_blank",
        "regex",
        "contains",
        "does_not_contain",
        "starts_with",
        "does_not_start_with",
        "less_than",
        "greater_than",
        "is_before_time",
        "is_after_time",
        "is_before_date",
        "is_after_date",
    ]
)
