"""Which addresses a browser may be sent to. Pure; says why not in words."""

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Sequence
from urllib.parse import SplitResult, unquote, urlsplit

LOCAL_SCHEMES = frozenset({"about", "data", "blob"})
NETWORK_SCHEMES = frozenset({"http", "https", "ws", "wss"})
METADATA_HOSTS = frozenset({"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"})
METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(address) for address in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")
)
HOST_FIRST = re.compile(r"[\w.-]+(:\d+)?([/?#]|$)|\[[0-9a-fA-F:.]+\](:\d+)?([/?#]|$)")
LOCAL_HOST = re.compile(r"(localhost|[\d.]+|\[.*\])([:/?#]|$)")


def allowed(url: str, domains: Sequence[str] = ()) -> str:
    """Why a request to `url` is refused, or an empty string. No domains: everything but what is never allowed.

    A domain is a host (`example.com`), a host with a port, or `*.example.com` for a host and all below it.
    """
    parts = split(url)
    if parts is None or parts.scheme not in NETWORK_SCHEMES | LOCAL_SCHEMES:
        return "only http and https addresses may be opened"
    if parts.scheme in LOCAL_SCHEMES:
        return ""
    host = canonical(parts.hostname or "")
    if not host:
        return "the address has no host"
    if never(host):
        return f"{host} is a link-local or cloud-metadata address"
    if domains and not any(_matches(host, parts.port, domain) for domain in domains):
        return f"{host} is not among the allowed domains ({', '.join(domains)})"
    return ""


def absolute(url: str) -> str:
    """The URL to open: a bare host gets a scheme. Raises ValueError with a sentence for what may not be opened."""
    url = url.strip()
    if HOST_FIRST.match(url):
        url = f"{'http' if LOCAL_HOST.match(url) else 'https'}://{url}"
    parts = split(url)
    if url == "about:blank" or (parts is not None and parts.scheme in {"http", "https"} and parts.hostname):
        return url
    raise ValueError(f"{url} cannot be opened: only http and https addresses can.")


def split(url: str) -> SplitResult | None:
    """The parts of a URL, or None when it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError:
        return None
    return parts


def canonical(host: str) -> str:
    """The host as a browser reads it: `0x7f.1` and `2130706433` are 127.0.0.1, full-width digits are digits."""
    host = unicodedata.normalize("NFKC", unquote(host)).lower().rstrip(".")
    try:
        return str(ipaddress.IPv4Address(socket.inet_aton(host))) if " " not in host else host
    except (OSError, UnicodeEncodeError):
        return host


def never(host: str) -> bool:
    """Whether a canonical host is link-local or serves cloud metadata."""
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return host in METADATA_HOSTS
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_link_local or address in METADATA_ADDRESSES


def _matches(host: str, port: int | None, domain: str) -> bool:
    pattern = split(domain if "://" in domain else f"//{domain}")
    if pattern is None or (pattern.port is not None and pattern.port != port):
        return False
    name = (pattern.hostname or "").rstrip(".")
    if name.startswith("*."):
        return host == name[2:] or host.endswith(name[1:])
    return host == canonical(name)
