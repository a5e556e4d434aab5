"""`studio`: Twilio Studio's flows, judged on this machine."""

import argparse
from pathlib import Path

from ivr.cli.ends import FAILED, GOOD, tell
from ivr.flow.findings import printable
from ivr.studio import definition
from ivr.studio.check import check


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    studio = commands.add_parser("studio", help="Twilio Studio's flows")
    actions = studio.add_subparsers(required=True, metavar="ACTION")
    judge = actions.add_parser("check", help="validate Studio definitions, without asking Twilio")
    judge.add_argument("--strict", action="store_true", help="fail on a warning too")
    judge.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a flow's JSON, exported from anywhere")
    judge.set_defaults(command=_check)


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
