"""The log: one JSON line an event on stdout; numbers masked by whoever writes, words of people never."""

import json
import sys
import threading
import time
from typing import Any, TextIO

LEVELS = ("debug", "info", "warning", "error")


class _Log:
    """Where lines go. Its own few lines, because every offer waits for one: the library's cost three times as much."""

    def __init__(self) -> None:
        self.level = LEVELS.index("info")
        self.stream: TextIO | None = None
        self.lock = threading.Lock()

    def write(self, level: str, event: str, fields: dict[str, Any]) -> None:
        if LEVELS.index(level) < self.level:
            return
        now = time.time()
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}Z"
        line = json.dumps({"at": at, "level": level, "event": event, **fields}, ensure_ascii=False, default=str)
        stream = self.stream or sys.stdout
        try:
            with self.lock:
                stream.write(line + "\n")
                stream.flush()
        except (OSError, ValueError):
            return  # nobody reads the log any more; a caller is worth more than a line


_log = _Log()


def start(level: str, stream: TextIO | None = None) -> None:
    """Send events of `level` (one of LEVELS) and above to stdout, a line each."""
    _log.level, _log.stream = LEVELS.index(level), stream


def event(name: str, **fields: Any) -> None:
    _log.write("info", name, fields)


def warning(name: str, **fields: Any) -> None:
    _log.write("warning", name, fields)


def error(name: str, exception: BaseException | None = None, **fields: Any) -> None:
    """`exception`: its type and place are logged, not its message: a driver's carries numbers and texts."""
    if exception is not None:
        fields |= {"error": type(exception).__name__, "where": _innermost(exception)}
    _log.write("error", name, fields)


def _innermost(error: BaseException) -> str:
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
