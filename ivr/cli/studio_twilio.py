"""`studio pull` and `studio push`: between a brand's file, a flow's JSON, and the flows of an account at Twilio."""

import argparse
import os
import re
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ivr import config
from ivr.cli.ends import FAILED, GOOD, USAGE, tell
from ivr.clients.failure import SendError
from ivr.clients.studio import InvalidFlow
from ivr.deployment import studio_flows
from ivr.flow import source
from ivr.flow.findings import printable
from ivr.flow.load import load
from ivr.studio import brand_file, definition
from ivr.studio.check import check
from ivr.studio.environment import read_environment, substituted
from ivr.studio.order import ordered
from ivr.studio.pull import pull, redirects_to


def add(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    back = actions.add_parser("pull", help="a Studio flow as a brand's file, and what that cannot carry")
    back.add_argument("flow", metavar="FLOWSID", help="a flow's SID (FW…), or a file with its JSON")
    back.add_argument("--json", action="store_true", help="the flow's JSON as it is, to be kept and compared")
    back.add_argument("--brand", default="", metavar="ID", help="the brand's file it comes back into, or a new one")
    back.add_argument(
        "--sender", default="", metavar="NUMBER", help="who texts come from, where the flow has no number"
    )
    back.add_argument("--environment", type=Path, metavar="FILE", help="SIDs and numbers there, to be put back")
    back.add_argument("--out", type=Path, metavar="DIR", help="write a file there instead")
    back.add_argument("--over", action="store_true", help="write over a brand's file that is there")
    back.set_defaults(command=_pull)
    out = actions.add_parser("push", help="check a flow's JSON, validate it at Twilio, draft and publish it")
    out.add_argument("file", type=Path, metavar="FILE", help="a flow's JSON")
    out.add_argument("--to", default="", metavar="FLOWSID", help="the flow that it becomes; a new one unless said")
    out.add_argument("--message", required=True, metavar="TEXT", help="what changed; the revision's commit message")
    out.add_argument("--name", default="", metavar="NAME", help="a new flow's name; the file's unless said")
    out.add_argument("--environment", type=Path, metavar="FILE", help="SIDs and numbers of this account for the file's")
    out.add_argument("--draft", action="store_true", help="stop at the draft; test users hear it")
    out.add_argument("--over", action="store_true", help="write over what somebody edited in the Console")
    out.set_defaults(command=_push)


def _push(arguments: argparse.Namespace) -> int:
    if arguments.to and not studio_flows.FLOW_SID.fullmatch(arguments.to):
        tell(f"{arguments.to[:60]}: no flow's SID; it is FW and 32 hex digits")
        return USAGE
    found = sound(arguments.file)
    values = _environment(arguments.environment)
    if found is None or values is None:
        return FAILED
    there, unused = substituted(found, values)
    for key in unused:
        tell(f"{arguments.environment}: error: {printable(key)[:60]} stands nowhere in the flow")
    if unused:
        return FAILED
    try:
        studio = studio_flows.studio_of(config.read(os.environ), time.sleep)
        kept, written = studio_flows.push(
            studio,
            there,
            arguments.name or arguments.file.stem,
            arguments.to,
            arguments.message,
            arguments.draft,
            arguments.over,
        )
    except InvalidFlow as refused:
        return _refused(arguments.file, there, refused)
    except (config.SettingsError, studio_flows.Edited, studio_flows.Unpublished, SendError) as error:
        tell(studio_flows.explained(error) if isinstance(error, SendError) else str(error))
        return FAILED
    done = f"revision {kept.revision}, {kept.status}" if written else f"is that already, revision {kept.revision}"
    print(printable(f"{kept.sid} {kept.name}: {done}"))
    if not arguments.to:
        print(f"lead a number's calls, and its call status changes, to {printable(kept.webhook)}")
    return GOOD


def _refused(file: Path, there: Any, refused: InvalidFlow) -> int:
    """Twilio's own findings, as `check` prints ours."""
    for path, message in refused.found:
        at = re.match(r"#/states/(\d{1,4})(?:/|$)", path)
        states = there["states"]
        name = f" ({states[int(at[1])]['name']})" if at and int(at[1]) < len(states) else ""
        print(printable(f"{file}:{path}{name}: error: {message}; Twilio says so"))
    return FAILED


def _pull(arguments: argparse.Namespace) -> int:
    values = _environment(arguments.environment)
    if values is None:
        return FAILED
    found = _flow(arguments.flow)
    if found is None:
        return FAILED
    flow, title, whence = found
    flow, _ = substituted(flow, {new: old for old, new in values.items()})
    name = arguments.brand or redirects_to(flow) or _id(title)
    if arguments.json:
        return _written(arguments.out, f"{name}.json", definition.written(ordered(flow)))
    known = _known(name) if arguments.brand or redirects_to(flow) else {}
    pulled = pull(flow, title, known, arguments.sender)
    for finding in pulled.left:
        tell(f"{printable(arguments.flow)}:{finding}")
    text = brand_file.written(pulled.brand, f"Pulled from {whence}; calls enter {pulled.enters}.")
    good = _tell_faults(name, text) and not pulled.left
    if "numbers" not in pulled.brand:
        tell(f"Which numbers call the flow is not in it; lead yours to {pulled.enters} under `numbers`.")
    return max(_written(arguments.out, f"{name}.yaml", text, arguments.over), GOOD if good else FAILED)


def _flow(given: str) -> tuple[Any, str, str] | None:
    """A definition, the flow's name, and where it is from; None where that is told."""
    if not studio_flows.FLOW_SID.fullmatch(given):
        data = sound(Path(given))
        return None if data is None else (data, Path(given).stem, Path(given).name)
    try:
        kept = studio_flows.studio_of(config.read(os.environ), time.sleep).fetch(given)
    except (config.SettingsError, SendError) as error:
        tell(studio_flows.explained(error) if isinstance(error, SendError) else str(error))
        return None
    if _errors(given, kept.definition):
        return None
    return kept.definition, kept.name or given, f"{kept.name}, {kept.sid}, revision {kept.revision}"


def sound(file: Path) -> Any:
    """A definition without errors, or None; what is wrong goes to stderr."""
    try:
        data, size = definition.read_file(file)
    except definition.Unreadable as error:
        tell(printable(f"{file}: error: {error}"))
        return None
    return None if _errors(str(file), data, size) else data


def _errors(file: str, data: Any, size: int = 0) -> bool:
    errors = [finding for finding in check(data, size) if finding.severity == "error"]
    for finding in errors:
        tell(f"{printable(file)}:{finding}")
    return bool(errors)


def _environment(file: Path | None) -> Mapping[str, str] | None:
    try:
        return read_environment(file) if file else {}
    except definition.Unreadable as error:
        tell(printable(f"{file}: error: {error}"))
        return None


def _known(brand: str) -> Mapping[str, Any]:
    """What the brand's file says now; nothing where there is none, or it has an error."""
    file = config.flows_dir(os.environ) / f"{brand}.yaml"
    if not file.is_file():
        return {}
    errors = load([file]).errors
    for finding in errors:
        tell(f"{finding}; its words are not read")
    data = source.read(file.read_bytes(), str(file)).data
    return data if isinstance(data, dict) and not errors else {}


def _id(title: str) -> str:
    bare = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:32].strip("-")
    return bare if re.match(r"[a-z]", bare) else f"brand-{bare}".strip("-")[:32]


def _tell_faults(name: str, text: str) -> bool:
    """Whether the file is one that a server starts with; what is wrong with it goes to stderr."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        errors = load([file]).errors
    for finding in errors:
        tell(str(finding).replace(f"{directory}{os.sep}", ""))
    return not errors


def _written(directory: Path | None, name: str, text: str, over: bool = True) -> int:
    if directory is None:
        print(text, end="")
        return GOOD
    if not over and (directory / name).exists():
        tell(f"{directory / name} is there already; leave out --out to compare, or say --over to write over it")
        return FAILED
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(text, encoding="utf-8")
    print(directory / name)
    return GOOD
