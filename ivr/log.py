"""The log: one JSON line an event on stdout; numbers masked by whoever writes, words of people never."""

import json
import logging
import sys
import time
from typing import Any, TextIO

_logger = logging.getLogger("ivr")


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {"at": f"{at}.{int(record.msecs):03d}Z", "level": record.levelname.lower(), "event": record.msg}
        line.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _in_a_line(record.exc_info[1])
            line["where"] = _innermost(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def _in_a_line(error: BaseException) -> str:
    # The type alone: a driver's message carries the parameters of the statement, numbers and texts among them.
    return type(error).__name__


def _innermost(error: BaseException) -> str:
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"


def start(level: str, stream: TextIO | None = None) -> None:
    """Send events of `level` ("debug", "info", "warning", "error") and above to stdout, a line each."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(_JsonLine())
    _logger.handlers[:] = [handler]
    _logger.setLevel(level.upper())
    _logger.propagate = False


def event(name: str, **fields: Any) -> None:
    _logger.info(name, extra={"fields": fields})


def warning(name: str, **fields: Any) -> None:
    _logger.warning(name, extra={"fields": fields})


def error(name: str, exception: BaseException | None = None, **fields: Any) -> None:
    _logger.error(name, exc_info=exception, extra={"fields": fields})
