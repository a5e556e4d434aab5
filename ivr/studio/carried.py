"""What Studio cannot carry of a brand's file, each with its path there; and whose file's path a way on has."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ivr.flow.model import Branch, Menu

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Losses:
    """In the order in which they were met, each once."""

    found: dict[tuple[Path, str], None] = field(default_factory=dict)

    def add(self, path: Path, message: str) -> None:
        self.found[path, message] = None

    def __iter__(self) -> Iterator[tuple[Path, str]]:
        return iter(self.found)


def path_of(place: Menu | Branch) -> Path:
    if isinstance(place, Branch):
        return ("branches", place.name)
    return ("menu",) if place.name == "menu" else ("menus", place.name)
