"""What happens in the sandbox, one after the other, for whoever watches it."""

import json
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

MOST = 5000  # of the newest that are kept; a page that comes later begins there


@dataclass(slots=True)
class News:
    _items: list[tuple[int, str]] = field(default_factory=list)
    _last: int = 0
    _changed: Condition = field(default_factory=Condition)

    def tell(self, kind: str, particulars: dict[str, Any]) -> None:
        with self._changed:
            self._last += 1
            self._items.append((self._last, json.dumps({"kind": kind, **particulars}, ensure_ascii=False)))
            del self._items[:-MOST]
            self._changed.notify_all()

    def after(self, number: int, seconds: float) -> list[tuple[int, str]]:
        """Everything after that number, each a JSON object of one line; waits so long for the first."""
        with self._changed:
            self._changed.wait_for(lambda: self._last > number, seconds)
            return [item for item in self._items if item[0] > number]

    @property
    def last(self) -> int:
        return self._last
