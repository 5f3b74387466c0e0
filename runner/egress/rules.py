"""Where a session may go: by name, port and every address behind the name. Pure; says why not in words."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

import msgspec

from runner.egress.addresses import (
    LOOPBACK,
    WORDS,
    Address,
    Network,
    address_of,
    canonical,
    forms,
    is_name,
    never,
    public,
    within,
)

SETTING = "TAPEWRIGHT_ALLOW_PRIVATE"
PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
METADATA_HOSTS = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "metadata.azure.internal",
        "metadata.tencentyun.com",
        "instance-data",
        "instance-data.ec2.internal",
    }
)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """No `allowed_domains`: everything but what is never allowed. `private`: the networks that need not be public.

    A domain is a host (`example.com`), a host with a port, or `*.example.com` for a host and all below it.
    """

    allowed_domains: tuple[str, ...] = ()
    private: tuple[Network, ...] = ()

    def refusal(self, scheme: str, host: str, port: int | None) -> str:
        """Why a request is refused, as far as its text tells, or an empty string. `port` None: that of the scheme."""
        if scheme not in PORTS:
            return "only http and https addresses may be opened"
        host = canonical(host)
        if not host:
            return "the address has no host"
        address = address_of(host)
        if address is None and not is_name(host):
            return f"{host!r} is no host name"
        if host in METADATA_HOSTS:
            return f"{host} is a link-local or cloud-metadata address"
        if self.allowed_domains and not any(
            _matches(host, port or PORTS[scheme], domain) for domain in self.allowed_domains
        ):
            return f"{host} is not among the allowed domains ({', '.join(self.allowed_domains)})"
        if is_local(host):
            return self.refusal_of(host, [LOOPBACK[0][1]])
        return self.refusal_of(host, [address]) if address is not None else ""

    def refusal_of(self, host: str, addresses: Iterable[Address]) -> str:
        """Why a host with these addresses is refused, or an empty string: one forbidden address is enough."""
        for address in addresses:
            found = address_of(str(address)) or address
            which = host if host == str(found) else f"{host} leads to {found}, which"
            if what := never(found):
                return f"{which} is {what}"
            if any(not public(form) and not within(form, self.private) for form in forms(found)):
                kind = "loopback" if within(found, LOOPBACK) else "private"
                return f"{which} is a {kind} address; {SETTING}={kind} would allow it"
        return ""


def refusal_of_url(rules: Rules, url: str) -> str:
    """`Rules.refusal` of a URL."""
    parts = split(url)
    return rules.refusal(parts.scheme if parts else "", parts.hostname or "" if parts else "", _port(parts))


def split(url: str) -> SplitResult | None:
    """The parts of a URL, or None when it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError:
        return None
    return parts


def is_local(host: str) -> bool:
    """Whether a canonical name means this machine without being looked up (RFC 6761)."""
    return host == "localhost" or host.endswith(".localhost")


def private_networks(setting: str) -> tuple[Network, ...]:
    """The networks that `loopback,10.1.0.0/16` names. Raises ValueError with a sentence."""
    networks: list[Network] = []
    for word in filter(None, (part.strip().lower() for part in setting.split(","))):
        try:
            networks += WORDS.get(word) or [ipaddress.ip_network(word)]
        except ValueError:
            raise ValueError(
                f"{SETTING} is {setting!r}, which is not right: {word!r} is none of loopback, private and all,"
                " and no network such as 10.1.0.0/16."
            ) from None
    return tuple(networks)


def _port(parts: SplitResult | None) -> int | None:
    return parts.port if parts is not None else None


def _matches(host: str, port: int, domain: str) -> bool:
    pattern = split(domain if "://" in domain else f"//{domain}")
    if pattern is None or pattern.port not in {None, port}:
        return False
    name = (pattern.hostname or "").rstrip(".")
    if name.startswith("*."):
        name = canonical(name[2:])
        return bool(name) and (host == name or host.endswith(f".{name}"))
    return bool(name) and host == canonical(name)
