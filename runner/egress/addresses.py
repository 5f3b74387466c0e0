"""What kind of place an IP address is: never to be reached, private, or the public network. Pure."""

import ipaddress
import re
import socket
from collections.abc import Iterator
from urllib.parse import unquote

import idna

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK: tuple[Network, ...] = (ipaddress.IPv4Network("127.0.0.0/8"), ipaddress.IPv6Network("::1/128"))
PRIVATE: tuple[Network, ...] = (
    *(ipaddress.IPv4Network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")),
    ipaddress.IPv6Network("fc00::/7"),
)
EVERYTHING: tuple[Network, ...] = (ipaddress.IPv4Network("0.0.0.0/0"), ipaddress.IPv6Network("::/0"))
WORDS: dict[str, tuple[Network, ...]] = {"loopback": LOOPBACK, "private": PRIVATE, "all": EVERYTHING}

NEVER: tuple[tuple[str, tuple[Network, ...]], ...] = (
    (
        "a link-local or cloud-metadata address",
        tuple(
            ipaddress.ip_network(network)
            for network in (
                "169.254.0.0/16",
                "fe80::/10",
                "100.100.100.200/32",
                "168.63.129.16/32",
                "192.0.0.192/32",
                "fd00:ec2::/32",
                "fd20:ce::254/128",
            )
        ),
    ),
    ("a multicast address", (ipaddress.IPv4Network("224.0.0.0/4"), ipaddress.IPv6Network("ff00::/8"))),
    ("an address of no host", (ipaddress.IPv4Network("0.0.0.0/8"), ipaddress.IPv6Network("::/128"))),
    ("a broadcast address", (ipaddress.IPv4Network("255.255.255.255/32"),)),
)

# IPv6 networks whose addresses stand for an IPv4 one, and how far to the left of the last bit that stands.
EMBEDDING = (
    (ipaddress.IPv6Network("::/96"), 0),  # compatible, RFC 4291
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),  # translated, RFC 2765
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64, RFC 6052
    (ipaddress.IPv6Network("64:ff9b:1::/48"), 0),  # local NAT64, RFC 8215
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4, RFC 3056
    (ipaddress.IPv6Network("2001::/32"), 64),  # Teredo's server, RFC 4380
)
TEREDO = EMBEDDING[-1][0]
ISATAP = {0x00005EFE, 0x02005EFE}  # RFC 5214: the third quarter of an address of any network
ALLOCATED = ipaddress.IPv6Network("2000::/3")
ALONE = {ipaddress.IPv6Address("::"), ipaddress.IPv6Address("::1")}
NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


def canonical(host: str) -> str:
    """The host as a browser reads it: `0x7f.1` and `2130706433` are 127.0.0.1, full-width digits are digits,
    other letters are punycode."""
    host = _ascii(unquote(host)).lower().rstrip(".")
    literal = address_of(host)
    if literal is not None:
        return str(literal)
    try:
        return str(ipaddress.IPv4Address(socket.inet_aton(host))) if not re.search(r"\s", host) else host
    except (OSError, UnicodeEncodeError, ValueError):
        return host


def _ascii(host: str) -> str:
    """An international name in the letters that are looked up. One that is none stays as it is, and is refused."""
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return host


def address_of(host: str) -> Address | None:
    """The address that a host spells, with or without brackets and zone; IPv6-mapped ones as IPv4. None for a name."""
    try:
        found = ipaddress.ip_address(host.removeprefix("[").removesuffix("]").split("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def is_name(host: str) -> bool:
    """Whether a canonical host may be looked up: letters, digits, hyphens and underscores between dots."""
    return len(host) <= 253 and NAME.fullmatch(host) is not None


def never(address: Address) -> str:
    """What the address, or one inside it, is that nobody may reach; empty for others."""
    for form in forms(address):
        for what, networks in NEVER:
            if within(form, networks):
                return what
    return ""


def public(address: Address) -> bool:
    """Whether the address itself belongs to the public network; those inside it are for `forms`."""
    if isinstance(address, ipaddress.IPv4Address) or address in ALLOCATED:
        return address.is_global
    return address not in ALONE and any(
        address in network for network, _ in EMBEDDING
    )  # as public as what stands in it


def within(address: Address, networks: tuple[Network, ...]) -> bool:
    """Whether one of the networks holds the address."""
    return any(address.version == network.version and address in network for network in networks)


def forms(address: Address) -> Iterator[Address]:
    """The address, and the IPv4 addresses that gateways would make of it."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    yield address
    if address in ALONE:
        return
    number = int(address)
    for network, shift in EMBEDDING:
        if address in network:
            yield ipaddress.IPv4Address(number >> shift & 0xFFFFFFFF)
    if address in TEREDO:
        yield ipaddress.IPv4Address(~number & 0xFFFFFFFF)  # the client's, its bits turned over
    if number >> 32 & 0xFFFFFFFF in ISATAP:
        yield ipaddress.IPv4Address(number & 0xFFFFFFFF)
