"""Which addresses a client may name. Pure; whether a browser may go there is the runner's to say."""

import ipaddress
import re

from yarl import URL

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_MAX_HOST = 253
_SCHEMES = ("http", "https")


def pattern(text: str) -> str | None:
    """What a task is allowed by this text, in lower case and ASCII; None for what is no domain.

    A host (`example.com`), a host with a port, or a wildcard (`*.example.com`: the host and all below it). Of a full
    URL the host counts, and the port if it names one: its path narrows nothing.
    """
    scheme, full, rest = text.strip().rpartition("://")
    wildcard = "*." if rest.startswith("*.") else ""
    url = _url(f"https://{rest.removeprefix('*.')}")
    if url is None or (full and scheme.lower() not in (*_SCHEMES, "http*")):
        return None
    host = (url.raw_host or "").removesuffix(".")
    more = url.raw_user is not None or (not full and (url.raw_path_qs, url.raw_fragment) not in (("/", ""), ("", "")))
    if more or not _is_host(host) or (wildcard and _is_address(host)):
        return None
    port = "" if url.explicit_port is None else f":{url.explicit_port}"
    return f"{wildcard}[{host}]{port}" if ":" in host else f"{wildcard}{host}{port}"


def is_web(text: str) -> bool:
    """Whether this is an http or https URL, or a bare host with what may follow it, without a user name."""
    url = _url(text if "://" in text else f"https://{text}")
    return url is not None and url.scheme in _SCHEMES and url.raw_user is None and _is_host(url.raw_host or "")


def _url(text: str) -> URL | None:
    try:
        return URL(text)
    except ValueError:
        return None


def _is_host(host: str) -> bool:
    return _is_address(host) or (len(host) <= _MAX_HOST and _HOST.fullmatch(host.removesuffix(".")) is not None)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
