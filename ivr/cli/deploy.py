"""`doctor` and `numbers`: whether a deployment is set up right, and leading its numbers here."""

import argparse
import os
import secrets
import sys

from ivr.cli.ends import GOOD, USAGE, tell
from ivr.deployment import commands as deployment
from ivr.deployment.doctor import new_key


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    doctor = commands.add_parser("doctor", help="check this deployment, and say what mends it")
    doctor.add_argument("--new-key", metavar="BRAND", help="make an API key for a brand, or * for every")
    doctor.set_defaults(command=_doctor)
    _add_numbers(commands.add_parser("numbers", help="the account's numbers, and where they lead"))


def _add_numbers(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="every number and where it leads").set_defaults(
        command=lambda _arguments: deployment.list_numbers(os.environ, _talk())
    )
    point = actions.add_parser("point", help="lead calls and texts to PUBLIC_URL")
    point.add_argument("--yes", action="store_true", help="do not ask")
    point.add_argument("--restore", metavar="JSON", help="what an earlier change printed, to undo it")
    point.add_argument("numbers", nargs="*", metavar="NUMBER", help="these alone; all that brands claim unless said")
    point.set_defaults(command=_point)


def _doctor(arguments: argparse.Namespace) -> int:
    if arguments.new_key is None:
        return deployment.doctor(os.environ, _talk())
    setting, key = new_key(os.environ, arguments.new_key, secrets.token_urlsafe(32))
    print(f"add to API_KEYS:             {setting}\nthe key, shown only this once: {key}")
    return GOOD


def _point(arguments: argparse.Namespace) -> int:
    if arguments.restore is None:
        return deployment.point(os.environ, arguments.numbers, arguments.yes, _talk())
    if arguments.numbers:
        tell("--restore names its number itself; leave the numbers out.")
        return USAGE
    return deployment.restore(os.environ, arguments.restore, arguments.yes, _talk())


def _talk() -> deployment.Talk:
    ask = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    return deployment.Talk(lambda line: print(line, flush=True), tell, _asked if ask else None)


def _asked(question: str) -> bool:
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
