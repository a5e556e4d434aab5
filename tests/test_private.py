"""What is private: addresses, in every form that wraps another, and what a URL says by itself."""

import socket

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ivr.private import is_private, names_private

PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]  # fmt: skip
PRIVATE = [
    ("this host", "0.0.0.0"),
    ("loopback", "127.0.0.1"),
    ("all of loopback", "127.255.0.9"),
    ("private, large", "10.0.0.1"),
    ("private, middle", "172.31.255.255"),
    ("private, small", "192.168.1.1"),
    ("a carrier's own", "100.64.0.1"),
    ("link-local, a cloud's metadata", "169.254.169.254"),
    ("another cloud's metadata", "192.0.0.192"),
    ("a third cloud's", "168.63.129.16"),
    ("documentation", "203.0.113.1"),
    ("benchmarks", "198.18.0.1"),
    ("multicast", "224.0.0.1"),
    ("multicast, given out", "233.252.1.1"),
    ("reserved", "240.0.0.1"),
    ("broadcast", "255.255.255.255"),
    ("a retired relay", "192.88.99.1"),
    ("no address, IPv6", "::"),
    ("loopback, IPv6", "::1"),
    ("unique local", "fd00::1"),
    ("link-local, IPv6", "fe80::1"),
    ("link-local with its zone", "fe80::1%eth0"),
    ("site-local", "fec0::1"),
    ("multicast, IPv6", "ff0e::1"),
    ("documentation, IPv6", "2001:db8::1"),
    ("documentation, the newer", "3fff::1"),
    ("discard", "100::1"),
    ("a tunnel of Teredo", "2001:0:7f00:1::1"),
    ("IPv4 mapped", "::ffff:127.0.0.1"),
    ("IPv4 compatible", "::127.0.0.1"),
    ("IPv4 translated", "::ffff:0:127.0.0.1"),
    ("through NAT64", "64:ff9b::10.0.0.1"),
    ("through a network's own NAT64", "64:ff9b:1::8.8.8.8"),
    ("6to4", "2002:7f00:1::1"),
    ("no address at all", "example.com"),
    ("nothing", ""),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert not is_private(address)


@pytest.mark.parametrize("address", [case[1] for case in PRIVATE], ids=[case[0] for case in PRIVATE])
def test_private_addresses(address: str) -> None:
    assert is_private(address)


NAMES = [
    ("a name", "https://desk.example.com/ivr", False),
    ("a public address", "https://8.8.8.8/", False),
    ("a public address, IPv6", "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/", False),
    ("localhost inside another name", "https://localhost.example.com/", False),
    ("local as part of a word", "https://nonlocal.example/", False),
    ("an octal number that is public", "http://010.010.010.010/", False),
    ("localhost", "http://localhost:8000/desk", True),
    ("localhost, loudly, with a dot", "http://LOCALHOST./", True),
    ("below localhost", "http://desk.localhost/", True),
    ("local", "http://printer.local/", True),
    ("internal", "http://metadata.google.internal/", True),
    ("a container's name", "http://desk:8000/", True),
    ("loopback", "http://127.0.0.1:8000/", True),
    ("loopback, after a user", "http://desk.example.com@127.0.0.1/", True),
    ("loopback, short", "http://127.1/", True),
    ("loopback, decimal", "http://2130706433/", True),
    ("loopback, hexadecimal", "http://0x7f000001/", True),
    ("loopback, hexadecimal parts", "http://0x7f.0.0.0x1/", True),
    ("loopback, octal", "http://017700000001/", True),
    ("loopback, octal parts", "http://0177.0.0.01/", True),
    ("loopback, wide digits", "http://１２７．０．０．１/", True),
    ("loopback, ideographic dots", "http://127。0。0。1/", True),
    ("zero", "http://0/", True),
    ("private", "https://192.168.1.1/", True),
    ("metadata", "http://169.254.169.254/latest", True),
    ("loopback, IPv6", "http://[::1]:8000/", True),
    ("mapped", "http://[::ffff:10.0.0.1]/", True),
    ("link-local with its zone", "http://[fe80::1%25eth0]/", True),
    ("no host", "https:///desk", False),
    ("a bracket too few", "http://[::1", False),
    ("no URL", "", False),
]


@pytest.mark.parametrize(("url", "private"), [case[1:] for case in NAMES], ids=[case[0] for case in NAMES])
def test_what_a_url_says(url: str, private: bool) -> None:
    assert names_private(url) is private


@given(st.text())
@example("\ud800")
@example("1" * 5000)
@example("\0")
def test_no_host_is_too_strange(host: str) -> None:
    assert names_private(f"http://{host}/") in (True, False)
    assert is_private(host) in (True, False)


@given(st.integers(0, 2**32 - 1))
def test_an_address_in_any_spelling_is_the_same(number: int) -> None:
    plain = socket.inet_ntoa(number.to_bytes(4, "big"))
    spellings = [str(number), hex(number), f"0{number:o}", f"[::ffff:{plain}]", f"[64:ff9b::{plain}]"]
    assert {names_private(f"http://{host}/") for host in spellings} == {is_private(plain)}
