"""A brand's YAML becomes a frozen Flow, or every finding at once, each with its place."""

import gc
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path as FilePath

from ivr import numbers
from ivr.flow import rules, source
from ivr.flow.build import flow_of
from ivr.flow.findings import Finding, Place
from ivr.flow.model import Flow
from ivr.flow.schema import Brand
from ivr.flow.source import Source
from ivr.flow.texts import mapping
from ivr.flow.typed import typed
from ivr.flow.words import TemplateFault


@dataclass(frozen=True, slots=True)
class Loaded:
    flows: Mapping[str, Flow]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")


def files_in(paths: Iterable[FilePath]) -> list[FilePath]:
    """The flow files that `paths` name, each once: files as they are, of a directory the `*.yaml` directly in it.

    A link under another name is another brand.
    """
    files: dict[tuple[str, str], FilePath] = {}
    for path in paths:
        # A directory without any is named itself, to be found wanting; a dot file is an editor's own.
        there = sorted(file for file in path.glob("*.yaml") if not file.name.startswith("."))
        for file in (there or [path]) if path.is_dir() else [path]:
            files.setdefault((file.stem, os.path.realpath(file)), file)
    return list(files.values())


def load(files: Iterable[FilePath]) -> Loaded:
    """Read every file; a brand whose file has an error is not among the flows."""
    with _uncollected():
        return _load(files)


@contextmanager
def _uncollected() -> Iterator[None]:
    """What is read is kept or freed by its count; looking through it for cycles took a quarter of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _load(files: Iterable[FilePath]) -> Loaded:
    flows: dict[str, Flow] = {}
    findings: list[Finding] = []
    claims: dict[str, str] = {}
    seen: set[str] = set()
    for file in files:
        read, brand = _read(file)
        if file.stem in seen:
            read.error(read.place(()), f"{file.stem}: two files of one name; it is the brand's id")
        else:
            rules.claimed_elsewhere(read, claims)
            for number, place in _claimed(read):
                claims.setdefault(number, f"{read.file}:{place.line}")
        seen.add(file.stem)
        flow = _flow(read, file.stem, brand)
        if flow is not None:
            flows[flow.id] = flow
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
    brand = typed(read)
    rules.check(read)
    return read, brand


def _flow(read: Source, brand_id: str, brand: Brand | None) -> Flow | None:
    if brand is None or any(finding.severity == "error" for finding in read.findings):
        return None
    try:
        return flow_of(brand_id, brand)
    except TemplateFault as fault:
        read.error(read.place(()), f"{fault}")
        return None


def _claimed(read: Source) -> Iterable[tuple[str, Place]]:
    for text in mapping(read, "numbers"):
        number = numbers.read(text)
        if number:
            yield number.e164, read.key_place(("numbers", text))
