"""`studio`: Twilio Studio's flows, judged, written and played on this machine."""

import argparse
import os
from pathlib import Path

from ivr import config
from ivr.cli import studio_run, studio_twilio
from ivr.cli.ends import FAILED, GOOD, tell
from ivr.cli.studio_files import saying, sound, write
from ivr.flow import source
from ivr.flow.findings import Finding, printable
from ivr.flow.load import load_directory
from ivr.studio import definition, drawing, export
from ivr.studio.check import check
from ivr.studio.diff import differences
from ivr.studio.order import ordered


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    studio = commands.add_parser("studio", help="Twilio Studio's flows")
    actions = studio.add_subparsers(required=True, metavar="ACTION")
    judge = actions.add_parser("check", help="validate Studio definitions, without asking Twilio")
    judge.add_argument("--strict", action="store_true", help="fail on a warning too")
    judge.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a flow's JSON, exported from anywhere")
    judge.set_defaults(command=saying(_check))
    studio_run.add(actions)
    compare = actions.add_parser("diff", help="what a caller would notice of a change")
    compare.add_argument("old", type=Path, metavar="A", help="a flow's JSON, as it was")
    compare.add_argument("new", type=Path, metavar="B", help="as it is now")
    compare.set_defaults(command=saying(_diff))
    out = actions.add_parser("export", help="a brand as a Studio flow, as JSON")
    out.add_argument("brand", metavar="BRAND")
    out.add_argument("place", nargs="?", default="", metavar="BRANCH", help="enter this branch or menu alone")
    out.add_argument(
        "--as", dest="way", choices=export.WAYS, default="redirect", help="who deflects; redirect unless said"
    )
    out.add_argument("--out", type=Path, metavar="DIR", help="write a file there instead")
    out.add_argument("--over", action="store_true", help="write over another flow's file that is there")
    out.add_argument("--svg", type=Path, metavar="FILE", help="draw it there, too, as the canvas shows it")
    out.add_argument("--strict", action="store_true", help="fail when Studio cannot do all of it")
    out.set_defaults(command=saying(_export))
    studio_twilio.add(actions)


def _diff(arguments: argparse.Namespace) -> int:
    old, new = sound(arguments.old), sound(arguments.new)
    if old is None or new is None:
        return FAILED
    found = differences(old, new)
    for line in found:
        print(printable(line))
    return FAILED if found else GOOD


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
    name = f"{'-'.join(filter(None, (brand, arguments.place)))}.json"
    ended = write(arguments.out, name, text, arguments.over)
    return ended or (FAILED if arguments.strict and made.losses else GOOD)


def _tell_losses(file: Path, made: export.Export) -> None:
    """One line each, at the place in the brand's file that it is about."""
    read = source.read(file.read_bytes(), str(file))
    for path, message in made.losses:
        tell(str(Finding(str(file), read.place(path), f"{path[-1]}: {message}", "warning")))
