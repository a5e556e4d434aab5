"""Which addresses and names lead into a private network; pure, nothing is looked up."""

import socket
import unicodedata
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

# Beyond what `ipaddress` knows in every version: clouds keep the metadata of a machine in the first and the last.
_RESERVED_4 = tuple(IPv4Network(block) for block in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"))
_PUBLIC_6 = IPv6Network("2000::/3")  # all that was ever given out; what is elsewhere is special
_DOCUMENTATION_6 = IPv6Network("3fff::/20")
_NAT64 = IPv6Network("64:ff9b::/96")
_SUFFIXES = (".localhost", ".local", ".internal")


def is_private(address: str) -> bool:
    """Whether an IP address is anything but one host's on the public internet; so is what is no address."""
    try:
        return _judged(ip_address(address))
    except ValueError:
        return True


def names_private(url: str) -> bool:
    """Whether a URL's host says by itself that it is private. Names are only resolved when a desk is called.

    A URL that cannot be read names nothing. A name without a dot is never out on the internet.
    """
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    # As a client would read it: wide digits are digits, and an ideographic full stop is a dot.
    host = unicodedata.normalize("NFKC", host).replace("\u3002", ".").lower().rstrip(".")
    address = _literal(host)
    if address is not None:
        return _judged(address)
    return bool(host) and ("." not in host or host.endswith(_SUFFIXES))


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host spells out, in any of the ways that a resolver takes: 127.1, 0x7f000001, 017700000001."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _judged(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        within = _within(address)
        if within is None:
            return address not in _PUBLIC_6 or address in _DOCUMENTATION_6 or not address.is_global
        address = within
    return not address.is_global or address.is_multicast or any(address in block for block in _RESERVED_4)


def _within(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which an IPv6 address leads: mapped, through NAT64, by 6to4."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
