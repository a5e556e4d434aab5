"""How gunicorn runs the server; `gunicorn wsgi:app` finds this file by its name."""

import gc
import os
import sys
from typing import Any

from ivr.config import SettingsError, read
from ivr.worker import start

try:
    settings = read(os.environ)
except SettingsError as error:
    sys.exit(f"The server does not start.\n{error}")

bind = f"0.0.0.0:{settings.port}"
workers = settings.web_concurrency
worker_class = "gthread"
# WEB_THREADS may wait for Twilio at once; the others go on answering calls meanwhile.
threads = settings.web_threads + max(4, settings.web_threads // 4)
timeout = 30
graceful_timeout = 25  # a host gives 30 s; an attempt under way ends within 20
keepalive = 95  # longer than a router's idle time, so that it is the router who closes
preload_app = True
control_socket_disable = True  # its thread and its one path per user cross the fork
accesslog = None  # every event is a line of our own

# Seconds after which a thread that waits for Python's lock is given it. Who wrote an offer's rows, for which SQLite
# gives the lock back, would else wait until another's Python has run to its end: few take Python's own 5 ms.
sys.setswitchinterval(0.0005)


def post_worker_init(worker: Any) -> None:
    """After the fork: what needs threads and sockets of its own."""
    runtime = worker.wsgi.extensions.get("ivr")  # none when another app is served with this file
    if runtime is not None and settings.worker == "embedded":
        worker.stop_ours = start(runtime)


def worker_exit(server: object, worker: Any) -> None:
    if hasattr(worker, "stop_ours"):
        worker.stop_ours()


def when_ready(server: object) -> None:
    gc.collect()
    gc.freeze()  # what was loaded before the fork stays shared between the processes
