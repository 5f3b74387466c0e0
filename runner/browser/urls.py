"""Which addresses a browser may be sent to. Pure; says why not in words."""

import re

from runner.egress.rules import Rules, refusal_of_url, split

LOCAL_SCHEMES = frozenset({"about", "data", "blob"})
HOST_FIRST = re.compile(r"[\w.-]+(:\d+)?([/?#]|$)|\[[0-9a-fA-F:.]+\](:\d+)?([/?#]|$)")
LOCAL_HOST = re.compile(r"(localhost|[\d.]+|\[.*\])([:/?#]|$)")


def refusal(url: str, rules: Rules) -> str:
    """Why a request to `url` is refused, as far as its text tells, or an empty string."""
    parts = split(url)
    return "" if parts is not None and parts.scheme in LOCAL_SCHEMES else refusal_of_url(rules, url)


def absolute(url: str) -> str:
    """The URL to open: a bare host gets a scheme. Raises ValueError with a sentence for what may not be opened."""
    url = url.strip()
    if HOST_FIRST.match(url):
        url = f"{'http' if LOCAL_HOST.match(url) else 'https'}://{url}"
    parts = split(url)
    if url == "about:blank" or (parts is not None and parts.scheme in {"http", "https"} and parts.hostname):
        return url
    raise ValueError(f"{url} cannot be opened: only http and https addresses can.")
