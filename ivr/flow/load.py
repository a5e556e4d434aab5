"""A brand's YAML becomes a frozen Flow, or every finding at once, each with its place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from ivr import numbers
from ivr.flow import rules, source
from ivr.flow.build import flow_of
from ivr.flow.findings import Finding, Place, near, unknown
from ivr.flow.model import Flow
from ivr.flow.schema import Brand
from ivr.flow.source import Source
from ivr.flow.words import TemplateFault

_TAGS = ("<text>", "<play>", "[key]")  # pydantic's own steps in the path of a problem


@dataclass(frozen=True, slots=True)
class Loaded:
    flows: Mapping[str, Flow]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")


def files_in(paths: Iterable[FilePath]) -> list[FilePath]:
    """The flow files that `paths` name: files as they are, of a directory the `*.yaml` directly in it."""
    files: list[FilePath] = []  # a directory without any is named itself, to be found wanting
    for path in paths:
        files += (sorted(path.glob("*.yaml")) or [path]) if path.is_dir() else [path]
    return files


def load(files: Iterable[FilePath]) -> Loaded:
    """Read every file; a brand whose file has an error is not among the flows."""
    flows: dict[str, Flow] = {}
    findings: list[Finding] = []
    claims: dict[str, str] = {}
    seen: set[str] = set()
    for file in files:
        read, brand = _read(file)
        rules.claimed_elsewhere(read, claims)
        flow = _flow(read, file.stem, brand)
        if file.stem in seen:
            read.error(read.place(()), f"{file.stem}: two files of one name; it is the brand's id")
        seen.add(file.stem)
        if flow is not None:
            flows[flow.id] = flow
        for number, place in _claimed(read):
            claims.setdefault(number, f"{read.file}:{place.line}")
        findings += sorted(read.findings, key=lambda finding: finding.place)
    return Loaded(flows, tuple(findings))


def load_directory(directory: FilePath) -> Loaded:
    """Every brand of FLOWS_DIR. A directory that is missing or holds no brand is a finding too."""
    if not directory.is_dir():
        return Loaded({}, (Finding(str(directory), Place(), "is no directory; FLOWS_DIR names the brands' directory"),))
    return load(files_in([directory]))


def _read(file: FilePath) -> tuple[Source, Brand | None]:
    try:
        if file.is_dir():
            raise OSError(0, "no *.yaml in it")
        if file.exists() and not file.is_file():
            raise OSError(0, "no regular file")
        with file.open("rb") as stream:
            content = stream.read(source.MAX_BYTES + 1)
    except OSError as error:
        read = Source(str(file))
        read.error(Place(), f"cannot be read ({error.strerror}); name a flow file, or a directory of *.yaml")
        return read, None
    read = source.read(content, str(file))
    rules.file_id(read, file.stem)
    if read.findings and read.data is None:
        return read, None
    if not isinstance(read.data, dict):
        read.error(Place(), "expected a mapping with name, sender and branches")
        return read, None
    brand = _typed(read)
    rules.check(read)
    return read, brand


def _typed(read: Source) -> Brand | None:
    try:
        return Brand.model_validate(read.data)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=True)
    misspelt = {_misspelt(problem) for problem in problems}
    for problem in problems:
        path = tuple(step for step in problem["loc"] if step not in _TAGS)
        if problem["type"] == "missing" and path in misspelt:
            continue  # the near miss is the one cause
        _say(read, path, problem)
    return None


def _misspelt(problem: Mapping[str, Any]) -> tuple[str | int, ...] | None:
    """The path that an unknown key most likely meant."""
    if problem["type"] != "extra_forbidden":
        return None
    *parent, key = (step for step in problem["loc"] if step not in _TAGS)
    meant = near(str(key), _allowed(tuple(parent)))
    return (*parent, meant) if meant else None


def _allowed(parent: tuple[str | int, ...]) -> list[str]:
    """The keys that the schema knows in the mapping at `parent`."""
    schema = _schema()
    node: Any = schema
    for step in parent:
        node = _resolved(schema, node)
        node = node.get("properties", {}).get(step) or node.get("additionalProperties", {})
    return list(_resolved(schema, node).get("properties", {}))


@cache
def _schema() -> dict[str, Any]:
    return Brand.model_json_schema()


def _resolved(schema: Mapping[str, Any], node: Any) -> Any:
    """The mapping that a node of the JSON Schema stands for, past references and alternatives."""
    while isinstance(node, dict):
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
            continue
        options = node.get("anyOf") or node.get("oneOf")
        if not options:
            break
        # Of a text or a recording, the mapping is the recording.
        node = next((option for option in options if "$ref" in option or option.get("type") == "object"), {})
    return node if isinstance(node, dict) else {}


def _say(read: Source, path: tuple[str | int, ...], problem: Mapping[str, Any]) -> None:
    kind, name = problem["type"], next((step for step in reversed(path) if isinstance(step, str)), "the file")
    if kind == "extra_forbidden":
        message = unknown(str(name), "key", _allowed(path[:-1]))
        read.error(read.key_place(path), message)
    elif kind == "missing":
        read.error(read.place(path[:-1]), f"{name} is missing; {path[-2] if len(path) > 1 else 'a brand'} needs it")
    elif "[key]" in problem["loc"]:
        read.error(read.key_place(path), problem["msg"])
    else:
        read.error(read.place(path), f"{name}: {_sentence(kind, problem)}")


def _sentence(kind: str, problem: Mapping[str, Any]) -> str:
    value = problem["input"]
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return "expected a mapping; write its keys below it, indented (or {} for none)"
    if kind == "list_type":
        return "expected a list, like [US, CA]"
    if kind == "too_short":
        return "is empty; at least one is needed"
    if kind == "literal_error":
        return f"{str(value)[:40]!r} is not allowed; write {problem['ctx']['expected'].replace(chr(39), '')}"
    return str(problem["msg"])


def _flow(read: Source, brand_id: str, brand: Brand | None) -> Flow | None:
    if brand is None or read.findings:
        return None
    try:
        return flow_of(brand_id, brand)
    except TemplateFault as fault:
        read.error(read.place(()), f"{fault}")
        return None


def _claimed(read: Source) -> Iterable[tuple[str, Place]]:
    for text in rules.mapping(read, "numbers"):
        number = numbers.read(text)
        if number:
            yield number.e164, read.key_place(("numbers", text))
