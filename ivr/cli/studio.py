"""`studio`: Twilio Studio's flows, judged, written and played on this machine."""

import argparse
import os
from pathlib import Path
from typing import Any

from ivr import config
from ivr.cli import studio_twilio
from ivr.cli.ends import FAILED, GOOD, tell
from ivr.cli.studio_twilio import sound
from ivr.flow import source
from ivr.flow.findings import Finding, printable
from ivr.flow.load import load_directory
from ivr.runtime import utc_now
from ivr.sandbox.clock import Clock
from ivr.sandbox.transcript import Transcript
from ivr.studio import definition, drawing, export
from ivr.studio.check import check
from ivr.studio.diff import differences
from ivr.studio.order import ordered
from ivr.studio.run import Run


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    studio = commands.add_parser("studio", help="Twilio Studio's flows")
    actions = studio.add_subparsers(required=True, metavar="ACTION")
    judge = actions.add_parser("check", help="validate Studio definitions, without asking Twilio")
    judge.add_argument("--strict", action="store_true", help="fail on a warning too")
    judge.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a flow's JSON, exported from anywhere")
    judge.set_defaults(command=_check)
    _add_run(actions)
    compare = actions.add_parser("diff", help="what a caller would notice of a change")
    compare.add_argument("old", type=Path, metavar="A", help="a flow's JSON, as it was")
    compare.add_argument("new", type=Path, metavar="B", help="as it is now")
    compare.set_defaults(command=_diff)
    write = actions.add_parser("export", help="a brand as a Studio flow, as JSON")
    write.add_argument("brand", metavar="BRAND")
    write.add_argument("place", nargs="?", default="", metavar="BRANCH", help="enter this branch or menu alone")
    write.add_argument(
        "--as", dest="way", choices=export.WAYS, default="redirect", help="who deflects; redirect unless said"
    )
    write.add_argument("--out", type=Path, metavar="DIR", help="write a file there instead")
    write.add_argument("--svg", type=Path, metavar="FILE", help="draw it there, too, as the canvas shows it")
    write.add_argument("--strict", action="store_true", help="fail when Studio cannot do all of it")
    write.set_defaults(command=_export)
    studio_twilio.add(actions)


def _add_run(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    play = actions.add_parser("run", help="play a call with a definition; nothing leaves this machine")
    play.add_argument("file", type=Path, metavar="FILE", help="a flow's JSON")
    play.add_argument("--press", default="", metavar="KEYS", help="one item a prompt, separated by commas")
    play.add_argument("--from", dest="caller", default="+14155552671", metavar="NUMBER", help="who calls")
    play.add_argument("--dial", default="+14155550100", metavar="NUMBER", help="which number")
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
    play.set_defaults(command=_run)


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


def _diff(arguments: argparse.Namespace) -> int:
    old, new = sound(arguments.old), sound(arguments.new)
    if old is None or new is None:
        return FAILED
    found = differences(old, new)
    for line in found:
        print(printable(line))
    return FAILED if found else GOOD


def _run(arguments: argparse.Namespace) -> int:
    data = sound(arguments.file)
    subflows = {sid: sound(Path(file)) for sid, file in arguments.subflow}
    if data is None or None in subflows.values():  # Studio would refuse it
        return FAILED
    clock = Clock()
    transcript = Transcript(clock, lambda event: print(printable(str(event)), flush=True))
    good = Run(
        data,
        utc_now(),
        transcript.add,
        clock.advance,
        arguments.caller,
        arguments.dial,
        arguments.press.split(","),
        arguments.agents,
        dict(arguments.event),
        _outputs(arguments.given),
        subflows,
    ).play()
    return GOOD if good else FAILED


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


def _check(arguments: argparse.Namespace) -> int:
    judged = [_judged(file) for file in arguments.files]
    errors, warnings = (sum(counts) for counts in zip(*judged, strict=True))
    tell(f"{len(judged)} flow(s), {errors or 'no'} error(s), {warnings or 'no'} warning(s)")
    return FAILED if errors or (arguments.strict and warnings) else GOOD


def _judged(file: Path) -> tuple[int, int]:
    """A file's findings, printed; how many errors and warnings they are."""
    try:
        data, size = definition.read_file(file)
    except definition.Unreadable as error:
        print(printable(f"{file}: error: {error}"))
        return 1, 0
    found = check(data, size)
    for finding in found:
        print(f"{printable(str(file))}:{finding}")
    errors = sum(finding.severity == "error" for finding in found)
    return errors, len(found) - errors


def _export(arguments: argparse.Namespace) -> int:
    directory = config.flows_dir(os.environ)
    flows = load_directory(directory).flows
    brand = arguments.brand
    if brand not in flows:
        tell(f"{brand}: no such brand, or its file has an error; there are: {', '.join(flows) or 'none'}")
        return FAILED
    server = config.read(os.environ).public_url
    if arguments.way == "redirect" and not server:
        tell("PUBLIC_URL is not set; it is the scheme and host that Studio sends the caller to.")
        return FAILED
    try:
        made = export.export(flows[brand], arguments.way, server, arguments.place)
    except export.CannotExport as error:
        tell(str(error))
        return FAILED
    _tell_losses(directory / f"{brand}.yaml", made)
    text = definition.written(ordered(made.definition))
    if arguments.svg:
        arguments.svg.write_text(drawing.svg(made.definition), encoding="utf-8")
    if arguments.out:
        file = arguments.out / f"{'-'.join(filter(None, (brand, arguments.place)))}.json"
        arguments.out.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        print(file)
    else:
        print(text, end="")
    return FAILED if arguments.strict and made.losses else GOOD


def _tell_losses(file: Path, made: export.Export) -> None:
    """One line each, at the place in the brand's file that it is about."""
    read = source.read(file.read_bytes(), str(file))
    for path, message in made.losses:
        tell(str(Finding(str(file), read.place(path), f"{path[-1]}: {message}", "warning")))
