"""The server as a scene at another time runs it: the real one, but for its clock."""

import os
import sys
from datetime import datetime, timedelta

from ivr.app import create_app
from ivr.runtime import CannotStart, prepare, utc_now

_ahead = timedelta(seconds=float(os.environ["SANDBOX_AHEAD"]))


def _now() -> datetime:
    return utc_now() + _ahead


try:
    app = create_app(prepare(os.environ, _now))
except CannotStart as error:
    sys.exit(f"The server does not start.\n{error}")
