"""Studio's files on this machine: read and judged before anything is done with them, never written over unasked."""

import argparse
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from ivr.cli.ends import FAILED, GOOD, tell
from ivr.flow.findings import printable
from ivr.studio import definition
from ivr.studio.check import check

Command = Callable[[argparse.Namespace], int]


def saying(command: Command) -> Command:
    """The command, whose files that cannot be used are a sentence: no database has a part in it."""

    @wraps(command)
    def said(arguments: argparse.Namespace) -> int:
        try:
            return command(arguments)
        except OSError as error:
            if error.filename is None:  # no file's
                raise
            tell(printable(f"{error.filename}: cannot be used ({error.strerror}); check the path"))
            return FAILED

    return said


def read(file: Path) -> Any:
    """What a file holds, or None; why not goes to stderr."""
    try:
        data, _ = definition.read_file(file)
    except definition.Unreadable as error:
        tell(printable(f"{file}: error: {error}"))
        return None
    return None if data is None and has_errors(str(file), data) else data


def sound(file: Path) -> Any:
    """A definition without errors, or None; what is wrong goes to stderr."""
    data = read(file)
    return None if data is None or has_errors(str(file), data) else data


def has_errors(file: str, data: Any) -> bool:
    errors = [finding for finding in check(data) if finding.severity == "error"]
    for finding in errors:
        tell(f"{printable(file)}:{finding}")
    return bool(errors)


def write(directory: Path | None, name: str, text: str, over: bool) -> int:
    """To stdout, or to a file there, whose path goes to stdout."""
    if directory is None:
        print(text, end="")
        return GOOD
    file = directory / name
    if not over and file.exists():
        tell(f"{file} is there already; leave out --out to compare, or say --over to write over it")
        return FAILED
    directory.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    print(file)
    return GOOD
