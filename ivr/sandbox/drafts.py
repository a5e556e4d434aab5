"""The brands' files as a person edits them: a copy that the next call uses, and the file itself on "save" alone."""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from threading import RLock
from typing import Any

from ivr.flow.load import Loaded, files_in, load
from ivr.flow.model import Flow
from ivr.sandbox.scene import TownError


class Drafts:
    """`flows_dir`: the files. `place`: where the copies go. `restart`: has the server read another directory."""

    def __init__(self, flows_dir: Path, place: Path, restart: Callable[[Path], None]) -> None:
        self._files = {file.stem: file for file in files_in([flows_dir]) if file.is_file()}
        self._kept = {brand: _text(file) for brand, file in self._files.items()}  # as the files were when last read
        self._texts, self._used = dict(self._kept), dict(self._kept)
        self._place, self._restart, self._lock = place, restart, RLock()
        self._is_up = True  # not when the server did not start with what was written
        self._flows = load(self._files.values()).flows

    @property
    def flows(self) -> Mapping[str, Flow]:
        """The brands as the server has them."""
        return self._flows

    def shown(self, brand: str) -> dict[str, Any]:
        """The text, what is found in it, and where its file is."""
        with self._lock:
            text = self._texts[self._known(brand)]
            saved = text == self._kept[brand]
            return {"text": text, "saved": saved, "file": self._files[brand].name, "findings": self._findings(brand)}

    def write(self, brand: str, text: str) -> dict[str, Any]:
        """Keep a new text; no file is touched."""
        with self._lock:
            ends = "\r\n" if "\r\n" in self._kept[self._known(brand)] else "\n"  # a browser knows but one kind
            self._texts[brand] = text.replace("\r\n", "\n").replace("\n", ends)
            return self.shown(brand)

    def use(self) -> bool:
        """Have the server use what was written and has no error; whether it was started anew for that."""
        with self._lock:
            wanted = {brand: text if self._is_good(brand) else self._used[brand] for brand, text in self._texts.items()}
            if wanted == self._used and self._is_up:
                return False
            loaded = self._laid_out("used", wanted)
            self._is_up = False
            self._restart(self._place / "used")
            self._is_up = True
            self._used, self._flows = wanted, loaded.flows
            return True

    def save(self, brand: str) -> dict[str, Any]:
        """Write the brand's own file, unless it has errors or somebody else changed it meanwhile."""
        with self._lock:
            file = self._files[self._known(brand)]
            if not self._is_good(brand):
                raise TownError(f"{file.name} has errors; mend them first. Nothing was written.")
            if _text(file) != self._kept[brand]:
                raise TownError(f"{file.name} was changed by somebody else meanwhile. Nothing was written.")
            written = file.with_name(f".{file.name}.new")
            try:
                written.write_bytes(self._texts[brand].encode())
                written.chmod(file.stat().st_mode)
                written.replace(file.resolve())
            except OSError as error:
                written.unlink(missing_ok=True)
                raise TownError(f"{file.name} cannot be written: {error.strerror}.") from None
            self._kept[brand] = self._texts[brand]
            return self.shown(brand)

    def undo(self, brand: str) -> dict[str, Any]:
        """Back to the file as it is now."""
        with self._lock:
            self._kept[brand] = self._texts[brand] = _text(self._files[self._known(brand)])
            return self.shown(brand)

    def _known(self, brand: str) -> str:
        if brand not in self._files:
            raise TownError(f"{brand[:40]}: no such brand; there are: {', '.join(self._files)}")
        return brand

    def _is_good(self, brand: str) -> bool:
        return all(finding["severity"] != "error" for finding in self._findings(brand))

    def _findings(self, brand: str) -> list[dict[str, Any]]:
        """Of this brand among the others as they are used: a number may be claimed twice."""
        loaded = self._laid_out("checked", {**self._used, brand: self._texts[brand]})
        directory = f"{self._place / 'checked'}{os.sep}"
        return [
            {**asdict(finding.place), "severity": finding.severity, "message": finding.message.replace(directory, "")}
            for finding in loaded.findings
            if finding.file == f"{directory}{brand}.yaml"
        ]

    def _laid_out(self, name: str, texts: Mapping[str, str]) -> Loaded:
        directory = self._place / name
        directory.mkdir(parents=True, exist_ok=True)
        for brand, text in texts.items():
            (directory / f"{brand}.yaml").write_bytes(text.encode())
        return load(files_in([directory]))


def _text(file: Path) -> str:
    return file.read_bytes().decode("utf-8", "replace")
