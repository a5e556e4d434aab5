"""What gunicorn serves: `gunicorn wsgi:app`."""

import os
import sys

from ivr.app import create_app
from ivr.runtime import CannotStart, prepare

try:
    app = create_app(prepare(os.environ))
except CannotStart as error:
    sys.exit(f"The server does not start.\n{error}")
