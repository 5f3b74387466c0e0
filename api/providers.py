"""Where each provider of models is, which variables have its key, and which names are well known to be its."""

import re

import msgspec
from yarl import URL

from eventstore.secrets import Secret


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """What holds where nobody says otherwise. Its keys are for `base_url`, and are sent nowhere else unasked.

    Without `base_url` the address must be said. `patterns` are the names that it is known by, as `fnmatch` reads them.
    Models whose names begin as `sees` says are known to take pictures; of all others nothing is known.
    """

    base_url: str = ""
    keys: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    sees: str = ""


_OPENAI = r"gpt-(4o|4-turbo|4\.|5)|chatgpt-|o1(?!-mini)|o3(?!-mini)|o4-"

PROVIDERS: dict[str, Provider] = {
    "openai": Provider(
        base_url="https://api.openai.com/v1",
        keys=("OPENAI_API_KEY",),
        patterns=("gpt-*", "chatgpt-*", "o1*", "o3*", "o4-*"),
        sees=_OPENAI,
    ),
    "azure": Provider(keys=("AZURE_OPENAI_API_KEY",), sees=_OPENAI),
    "anthropic": Provider(
        base_url="https://api.anthropic.com/v1",
        keys=("ANTHROPIC_API_KEY",),
        patterns=("claude-*",),
        sees=r"claude-(?!2|instant)",
    ),
    "google": Provider(
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        patterns=("gemini-*",),
        sees="gemini-",
    ),
    "openrouter": Provider(base_url="https://openrouter.ai/api/v1", keys=("OPENROUTER_API_KEY",), patterns=("*/*",)),
    "ollama": Provider(base_url="http://localhost:11434/v1"),
    "vllm": Provider(base_url="http://localhost:8000/v1"),
    "llamacpp": Provider(base_url="http://localhost:8080/v1"),
    "compatible": Provider(),
}
"""The vendors publish their OpenAI-compatible endpoints at these addresses; the local servers listen there unasked."""


def sees(provider: str, model: str) -> bool | None:
    """Whether a model takes pictures, as far as its name tells; None: not known."""
    known = PROVIDERS[provider].sees
    return True if known and re.match(known, model) else None


def base_url(text: str) -> str:
    """The address up to, without, `/chat/completions`. Raises ValueError in words that do not repeat it."""
    try:
        url = URL(text.strip())
        plain = url.scheme in ("http", "https") and bool(url.host) and not url.query_string and not url.fragment
        known = url.raw_user is not None or url.raw_password is not None
    except ValueError:
        plain = known = False
    if known:
        raise ValueError("should have no user name or password in it")
    if not plain:
        raise ValueError("should be an http or https URL without a query, such as http://localhost:11434/v1")
    if url.path.rstrip("/").endswith("/chat/completions"):
        raise ValueError("should end before /chat/completions, such as http://localhost:11434/v1")
    return str(url).rstrip("/")


def azure(address: str, api_version: str) -> str:
    """The address of an Azure resource: without a version it is that of its v1 API."""
    return address if api_version or address.endswith("/openai/v1") else f"{address}/openai/v1"


def key(text: str) -> Secret:
    """A key as it can stand in a header. Raises ValueError in words that do not repeat it."""
    text = text.strip()
    if not text or not text.isascii() or not text.isprintable():
        raise ValueError("holds no key: one is a line of printable ASCII characters")
    return Secret(text)
