"""The commands together: which there are, and how what goes wrong is said."""

import argparse
import sys
from collections.abc import Callable, Sequence

from sqlalchemy.exc import SQLAlchemyError

from ivr import config, picture
from ivr.cli import brands, deploy, estimate, operate, play, report, studio
from ivr.cli.ends import FAILED, GOOD
from ivr.runtime import CannotStart
from ivr.sandbox.scene import TownError


def main(arguments: Sequence[str]) -> int:
    """Run one command. 0: good, 1: a finding or a failure, 2: wrong usage."""
    parsed = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = parsed.command
    try:
        return command(parsed)
    except (config.SettingsError, CannotStart, TownError, picture.NoPicture) as error:
        print(error, file=sys.stderr)
        return FAILED
    except (SQLAlchemyError, OSError) as error:
        print(
            f"{type(error).__name__}: the database or a file cannot be used; check DATABASE_URL and the path.",
            file=sys.stderr,
        )
        return FAILED
    except KeyboardInterrupt:
        return GOOD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ivr", description="The IVR deflection server.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for room in (brands, operate, play, estimate, report, deploy, studio):
        room.add(commands)
    return parser
