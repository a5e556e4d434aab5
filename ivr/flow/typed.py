"""The schema's word on a file: its typed Brand, or what is wrong with its keys and values, each at its place."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ivr.flow import hints
from ivr.flow.findings import near, unknown
from ivr.flow.json_schema import allowed
from ivr.flow.schema import Brand
from ivr.flow.source import MAX_DEPTH, MAX_FINDINGS, Path, Source

_TAGS = (
    "<text>",
    "<play>",
    "<hours>",
    "<key>",
    "<choice>",
    "<pattern>",
    "[key]",
)  # pydantic's own steps in the path of a problem

Problem = Mapping[str, Any]


def typed(source: Source) -> Brand | None:
    """The brand, or None and the findings. A misspelt key is one finding: it is read on as the key that was meant."""
    said: set[Path] = set()
    for _ in range(MAX_DEPTH):  # a misspelt key may hide others in it
        brand, problems = _validated(source.data)
        strange = [path for path in map(_path, filter(_is_unknown, problems)) if path not in said]
        said.update(strange)
        for path in strange[: MAX_FINDINGS + 1]:
            _unknown(source, path)
        meant = _meant(source, strange[:MAX_FINDINGS])
        if not meant:
            break
        source.rename(meant)
    for problem in problems:
        if not _is_unknown(problem) and not source.full:
            _say(source, _path(problem), problem)
    return brand


def _validated(data: Any) -> tuple[Brand | None, list[Any]]:
    try:
        return Brand.model_validate(data), []
    except ValidationError as error:
        return None, list(error.errors(include_url=False, include_input=True))


def _path(problem: Problem) -> Path:
    return tuple(step for step in problem["loc"] if step not in _TAGS)


def _is_unknown(problem: Problem) -> bool:
    return bool(problem["type"] == "extra_forbidden")


def _unknown(source: Source, path: Path) -> None:
    key, choices = str(path[-1]), allowed(path[:-1])
    meant = near(key, choices)
    free = meant and (*path[:-1], meant) not in source.values
    hint = hints.renamed(source, path, key, meant) if meant and free else ()
    source.at_key(path, unknown(key, "key", choices), hint)


def _meant(source: Source, strange: list[Path]) -> dict[Path, str]:
    """The misspelt keys whose right name is not taken."""
    found: dict[Path, str] = {}
    taken: set[Path] = set()
    for path in strange:
        name = near(str(path[-1]), allowed(path[:-1]))
        right = (*path[:-1], name or "")
        if name and right not in source.values and right not in taken:
            found[path] = name
            taken.add(right)
    return found


def _say(source: Source, path: Path, problem: Problem) -> None:
    kind, name = problem["type"], next((step for step in reversed(path) if isinstance(step, str)), "the file")
    if kind == "missing":
        source.marked(path)
        where = path[-2] if len(path) > 1 else "a brand"
        source.error(source.place(path[:-1]), f"{name} is missing; {where} needs it", hints.added(source, path))
    elif "[key]" in problem["loc"]:
        source.at_key(path, problem["msg"])
    else:
        hint = () if kind == "too_long" else hints.changed(source, path)  # an example says nothing of too many
        source.at(path, f"{name}: {_sentence(kind, problem)}", hint)


def _sentence(kind: str, problem: Problem) -> str:
    value = problem["input"]
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return "expected a mapping; write its keys below it, indented (or {} for none)"
    if kind == "list_type":
        return "expected a list, like [US, CA]"
    if kind == "too_short":
        return "is empty; at least one is needed"
    if kind == "too_long":
        return f"has {problem['ctx']['actual_length']} entries; at most {problem['ctx']['max_length']}"
    if kind == "literal_error":
        return f"{str(value)[:40]!r} is not allowed; write {problem['ctx']['expected'].replace(chr(39), '')}"
    return str(problem["msg"])
