"""The town's own places: where its servers listen."""

from pathlib import Path

import pytest

from ivr.sandbox.town import free_port

LINUX = Path("/proc/sys/net/ipv4/ip_local_port_range")


@pytest.mark.skipif(not LINUX.exists(), reason="only Linux tells which ports it gives connections")
def test_no_connection_is_given_the_port_of_a_server_that_is_about_to_listen() -> None:
    first = int(LINUX.read_text().split()[0])
    ports = [free_port() for _ in range(50)]
    assert all(1024 < port < first for port in ports)
    assert len(set(ports)) > 25, "one after the other, and two who ask at once have the same"
