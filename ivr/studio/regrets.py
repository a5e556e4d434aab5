"""Regrets: what Studio accepts in a single widget, and people are sorry for."""

import re
from collections.abc import Iterator

from ivr.studio.definition import Finding
from ivr.studio.kinds import OUTPUT
from ivr.studio.states import State

_OUTPUT = re.compile(OUTPUT, re.DOTALL)
_SAFE_IN_URL = re.compile(r"\s*(flow\.(flow_)?sid|trigger\.call\.(CallSid|AccountSid))\s*")
_ENCODED = re.compile(r"\|\s*(url_encode|replace\s*:)")
_OUR_FLOW = re.compile(r"[?&]flow=\{\{\s*flow\.sid\s*\}\}")


def of_its_type(state: State) -> Iterator[Finding]:
    if state.type == "split-based-on":
        yield from _split(state)
    elif state.type == "add-twiml-redirect":
        yield from _redirect(state)
    elif state.type == "send-and-wait-for-reply":
        if isinstance(state.properties.get("timeout"), int):
            where = (*state.where, "properties", "timeout")
            yield Finding(where, 'integer found; today\'s exports have a text here, as in "3600"', "warning")
    elif state.type == "trigger" and not any(leads for _, _, leads in state.ways):
        yield Finding(state.where, "nothing is wired to the trigger; no call gets anywhere", "warning")


def _split(state: State) -> Iterator[Finding]:
    events = [event for _, event, _ in state.ways]
    if "noMatch" not in events:
        yield Finding((*state.where, "transitions"), "no noMatch; what matches nothing ends the call", "warning")
    if "match" not in events:
        yield Finding((*state.where, "transitions"), "no match; everything goes the same way", "warning")
    wanted = state.properties.get("input")
    for at, way in enumerate(state.transitions):
        conditions = way.get("conditions")
        where = (*state.where, "transitions", at, "conditions")
        if not isinstance(conditions, list):
            continue
        if len(conditions) > 1:
            message = "several conditions; whether all or one must hold is documented nowhere: one a match is safe"
            yield Finding(where, message, "warning")
        for index, condition in enumerate(conditions):
            arguments = condition.get("arguments") if isinstance(condition, dict) else None
            if wanted and isinstance(arguments, list) and len(arguments) == 1 and arguments != [wanted]:
                yield Finding((*where, index, "arguments"), "another value than the split's own input", "warning")


def _redirect(state: State) -> Iterator[Finding]:
    unwired = {
        "return": "a call that comes back ends here",
        "timeout": "a call that is kept too long ends here",
        "fail": "a URL that cannot be read ends the call",
    }
    for event, what in unwired.items():
        if not state.leads(event):
            yield Finding((*state.where, "transitions"), f"{event} leads nowhere: {what}; wire it", "warning")
    url = state.properties.get("url")
    if not isinstance(url, str):
        return
    where = (*state.where, "properties", "url")
    if _OUR_FLOW.search(url):
        message = "flow={{flow.sid}} is the execution's SID; the flow's is {{flow.flow_sid}}"
        yield Finding(where, message, "warning")
    for output in _OUTPUT.findall(url):
        if not _SAFE_IN_URL.fullmatch(output) and not _ENCODED.search(output):
            message = (
                f"{{{{{output[:60]}}}}} is not encoded in the URL; a + or a space breaks it: | replace: '+', '%2B'"
            )
            yield Finding(where, message, "warning")
