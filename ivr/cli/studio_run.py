"""`studio run`: a call is played with a definition; what is said of its widgets has to name widgets that are there."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ivr import numbers
from ivr.cli.ends import FAILED, GOOD, USAGE, tell
from ivr.cli.keys import pressed
from ivr.cli.studio_files import saying, sound
from ivr.flow.findings import near, printable
from ivr.runtime import utc_now
from ivr.sandbox.clock import Clock
from ivr.sandbox.transcript import Transcript
from ivr.studio.run import OTHER_SIDES, Run
from ivr.studio.states import State, states
from ivr.studio.widgets import WIDGETS


def add(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    play = actions.add_parser("run", help="play a call with a definition; nothing leaves this machine")
    play.add_argument("file", type=Path, metavar="FILE", help="a flow's JSON")
    play.add_argument(
        "--press", type=pressed, default="", metavar="KEYS", help="one item a prompt, separated by commas"
    )
    play.add_argument(
        "--from", dest="caller", type=_address, default="+14155552671", metavar="NUMBER", help="who calls"
    )
    play.add_argument("--dial", type=_address, default="+14155550100", metavar="NUMBER", help="which number")
    play.add_argument("--agents", choices=("free", "nobody", "full"), default="free", help="how the people are")
    play.add_argument(
        "--event", action="append", type=_pair, default=[], metavar="WIDGET=EVENT", help="what a widget comes to"
    )
    play.add_argument(
        "--given", action="append", type=_given, default=[], metavar="WIDGET.KEY=VALUE", help="what a widget brings"
    )
    play.add_argument(
        "--subflow", action="append", type=_pair, default=[], metavar="FLOWSID=FILE", help="what a run-subflow opens"
    )
    play.set_defaults(command=saying(_run))


def _address(text: str) -> str:
    """As Twilio writes From: a number in E.164, `anonymous`, a SIP phone or a client."""
    number = numbers.read(text)
    if number:
        return number.e164
    if text.startswith(("sip:", "sips:", "client:")) or (text.strip() and numbers.caller_key(text) is None):
        return text
    raise argparse.ArgumentTypeError(f"{text[:60]!r} is no number; write it like +14155552671, or anonymous, sip:…")


def _pair(text: str) -> tuple[str, str]:
    name, is_pair, value = text.partition("=")
    if not (name and is_pair):
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is no pair; write NAME=VALUE")
    return name, value


def _given(text: str) -> tuple[str, list[str], str]:
    name, value = _pair(text)
    widget, *keys = name.split(".")
    if not keys or not all((widget, *keys)):
        raise argparse.ArgumentTypeError(f"{text[:60]!r} names no widget's value; write WIDGET.KEY=VALUE")
    return widget, keys, value


def _run(arguments: argparse.Namespace) -> int:
    data = sound(arguments.file)
    subflows = {sid: sound(Path(file)) for sid, file in arguments.subflow}
    if data is None or None in subflows.values():  # Studio would refuse it
        return FAILED
    if wrong := list(_misnamed(arguments, [data, *subflows.values()])):
        for line in wrong:
            tell(printable(line))
        return USAGE
    clock = Clock()
    transcript = Transcript(clock, lambda event: print(printable(str(event)), flush=True))
    good = Run(
        data,
        utc_now(),
        transcript.add,
        clock.advance,
        arguments.caller,
        arguments.dial,
        arguments.press,
        arguments.agents,
        dict(arguments.event),
        _outputs(arguments.given),
        subflows,
    ).play()
    return GOOD if good else FAILED


def _misnamed(arguments: argparse.Namespace, definitions: list[Any]) -> Iterator[str]:
    """What is said of a widget, an event or a subflow that is not there; a call would be played without it."""
    there: dict[str, list[State]] = {}
    for state in (state for definition in definitions for state in states(definition)):
        there.setdefault(state.name, []).append(state)
    for name, event in arguments.event:
        if name not in there:
            yield _no_widget("--event", name, there)
        else:
            yield from _no_event(there[name], event)
    for name in dict.fromkeys(widget for widget, _, _ in arguments.given if widget not in there):
        yield _no_widget("--given", name, there)
    opened = {str(state.properties.get("flow_sid")) for its in there.values() for state in its}
    for sid, _ in arguments.subflow:
        if sid not in opened:
            yield f"--subflow {sid[:60]}: no run-subflow opens that; write the SID that stands in its flow_sid"


def _no_widget(option: str, name: str, there: dict[str, list[State]]) -> str:
    meant = near(name, there)
    hint = f"did you mean {meant}?" if meant else "name one of the file's states"
    return f"{option} {name[:60]}: no widget has that name; {hint}"


def _no_event(widgets: list[State], event: str) -> Iterator[str]:
    for state in widgets:
        if state.type not in OTHER_SIDES:
            yield f"--event {state.name}: a {state.type} has no other side; --press says what the caller does"
            return
        allowed = WIDGETS[state.type].events
        if event in allowed:
            return
    yield f"--event {state.name}={event[:60]}: {state.type} comes to {' or '.join(allowed)}"


def _outputs(given: list[tuple[str, list[str], str]]) -> dict[str, dict[str, Any]]:
    """`lookup.parsed.tier=gold` as Liquid finds it."""
    found: dict[str, dict[str, Any]] = {}
    for widget, keys, value in given:
        inside = found.setdefault(widget, {})
        for key in keys[:-1]:
            if not isinstance(inside.get(key), dict):
                inside[key] = {}
            inside = inside[key]
        inside[keys[-1]] = value
    return found
