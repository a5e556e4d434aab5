"""SQLite's write-ahead log, folded into its file beside the calls, little by little and with less right to a core."""

import os
import sqlite3
import sys
import threading

from ivr import log
from ivr.store.database import Database

# Seconds. Often, because it is felt: what a second of busy calls wrote takes a core for tens of milliseconds.
EVERY = 0.1
AFTER_A_FAILURE = 5.0
FOLDED_TO_ITS_END = 50_000  # pages; 200 MB of disk
_NICE = 10


def keep_folded(database: Database, stop: threading.Event) -> None:
    """Fold until stopped, in a thread of its own. Nothing to do where the database is not SQLite."""
    if database.line is None:
        return
    if sys.platform == "linux":  # where a thread has a priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
    pause = EVERY
    while not stop.wait(pause):
        try:
            connection = database.line.connect()
            try:
                while not stop.wait(EVERY):
                    fold(connection)
            finally:
                connection.close()
        except sqlite3.Error as error:  # the disk is full, or the file is gone: the writes say so, too
            log.error("log_not_folded", error)
            pause = AFTER_A_FAILURE


def fold(connection: sqlite3.Connection, to_its_end: int = FOLDED_TO_ITS_END) -> None:
    """Fold what is there while others write on; a log over `to_its_end` pages to its end, for which they wait.

    Under calls that never pause it would begin anew never, and fill the disk.
    """
    [(_, pages, _)] = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    if pages > to_its_end:
        connection.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
