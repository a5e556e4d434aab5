"""Connections, as many to each worker: whoever accepts first gets them, and a run where one has them all tells of luck.

A router opens them all day long, so that they even out; a load generator opens its own within a millisecond.
"""

import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.bench.figures import BenchFailed

ACCEPTED_WITHIN = 5.0  # seconds


def opened(where: tuple[str, int], count: int, patience: float) -> list[socket.socket]:
    return [socket.create_connection(where, timeout=patience) for _ in range(count)]


def spread(where: tuple[str, int], count: int, workers: Sequence[int], patience: float) -> list[socket.socket]:
    """`count` connections, their number at each of the worker processes the same, or one more at some."""
    most = -(-count // len(workers))
    kept: dict[int, list[socket.socket]] = {worker: [] for worker in workers}
    spare: list[socket.socket] = []
    while sum(map(len, kept.values())) < count:
        [connection] = opened(where, 1, patience)
        theirs = kept[_accepted_by(connection, workers)]
        (theirs if len(theirs) < most else spare).append(connection)
    for connection in spare:
        connection.close()
    taken = [connection for turn in zip(*kept.values(), strict=False) for connection in turn]
    rest = [connection for theirs in kept.values() for connection in theirs if connection not in taken]
    return taken + rest


def _accepted_by(connection: socket.socket, workers: Sequence[int]) -> int:
    give_up = time.monotonic() + ACCEPTED_WITHIN
    while time.monotonic() < give_up:
        inode = _inode_of_other_end(connection)
        for worker in workers:
            if inode and f"socket:[{inode}]" in _open_files(worker):
                return worker
        time.sleep(0.0005)
    raise BenchFailed("No worker accepted a connection.")


def _inode_of_other_end(connection: socket.socket) -> str | None:
    """Of the accepted socket, as the system lists it; None or "0" while nobody accepted it."""
    ours, theirs = (_written(*end) for end in (connection.getsockname(), connection.getpeername()))
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] == theirs and fields[2] == ours:
            return fields[9] if fields[9] != "0" else None
    return None


def _written(host: str, port: int) -> str:
    return f"{socket.inet_aton(host)[::-1].hex().upper()}:{port:04X}"


def _open_files(process: int) -> set[str]:
    found = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.add(str(descriptor.readlink()))
    return found
