"""The server as a scene runs it: the real one, but for its clock, which passes as the scene's does."""

import os
import sys
from datetime import datetime
from pathlib import Path

from ivr.app import create_app
from ivr.runtime import CannotStart, prepare, utc_now
from ivr.sandbox.ahead import read

_file = Path(os.environ["SANDBOX_AHEAD"])


def _now() -> datetime:
    return utc_now() + read(_file)


try:
    app = create_app(prepare(os.environ, _now))
except CannotStart as error:
    sys.exit(f"The server does not start.\n{error}")
