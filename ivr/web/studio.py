"""Calls from Studio: the ids that they came with, and their way back, which is written down before it is taken."""

import hashlib
import re
from dataclasses import dataclass, replace

from flask import request

from ivr import log
from ivr.flow import twiml
from ivr.flow.script import ReturnToStudio, Script
from ivr.runtime import Runtime
from ivr.store import returns
from ivr.store.returns import Return

_FLOW = re.compile(r"FW[0-9a-f]{32}")
_EXECUTION = re.compile(r"FN[0-9a-f]{32}")
_VISIT = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class Ids:
    flow: str = ""  # "" for a call that no Studio flow sent
    execution: str = ""
    visit: int = 0


def ids(call_sid: str) -> Ids:
    """What the widget's URL says; it is signed, but whoever keeps the flow may have written anything."""
    if not request.query_string or "flow" not in request.args:
        return Ids()
    flow, execution, visit = (request.args.get(name, "") for name in ("flow", "exec", "visit"))
    if not _FLOW.fullmatch(flow):
        log.warning("no_studio_flow", call=call_sid, flow=flow[:40])
        return Ids()
    return Ids(flow, execution if _EXECUTION.fullmatch(execution) else "", int(visit) if _VISIT.fullmatch(visit) else 0)


def visiting(here: Runtime, caller: twiml.Caller, call_sid: str, enters: bool) -> twiml.Caller:
    """The caller, who comes anew where a flow sends a call that went back before."""
    if not (caller.studio_flow and enters):
        return caller
    with here.database.reads() as tx:
        return replace(caller, studio_visit=returns.visits(tx, call_sid))


def kept(here: Runtime, script: Script, caller: twiml.Caller, call_sid: str) -> Script:
    """The script; where it goes back to Studio, the return is a row first, and the same one if it was asked before."""
    if not script or not isinstance(back := script[-1], ReturnToStudio):
        return script
    ref = here.new_id() if request.args.get("step") else _of_entering(call_sid)
    wanted = Return(back.result, back.reason, ref)
    with here.database.writes() as tx:
        row = returns.once(tx, call_sid, caller.studio_visit, wanted, here.now())
    log.event("to_studio", call=call_sid, result=row.result, reason=row.reason or None, ref=row.ref)
    return (*script[:-1], ReturnToStudio(row.result, row.reason, row.ref))


def _of_entering(call_sid: str) -> str:
    """The same ref for the same entry of the same call.

    Whoever enters and is sent back at once is counted as a visit by then, and could not be told from Twilio asking
    again. A flow that sends the call to the same place once more waits for just those bytes.
    """
    asked = repr((call_sid, request.path, request.query_string))  # bytes as they came, whatever they are
    return hashlib.sha256(asked.encode()).hexdigest()[:32]
