"""Where a model is and how it is spoken to: settings alone, nothing here opens a connection."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec
from yarl import URL

from eventstore.secrets import Secret


class Provider(StrEnum):
    """Who is behind an endpoint: decides how it is authenticated to, and whose prices hold."""

    OPENAI = "openai"
    AZURE = "azure"
    ANTHROPIC = "anthropic"
    GOOGLE = "google"
    OPENROUTER = "openrouter"
    OLLAMA = "ollama"
    VLLM = "vllm"
    LLAMACPP = "llamacpp"
    COMPATIBLE = "compatible"


LOCAL = frozenset({Provider.OLLAMA, Provider.VLLM, Provider.LLAMACPP})
"""Those that run on one's own machine, where a price list does not hold."""


class Structured(StrEnum):
    """How replies are had in shape: by the schema, as any JSON with the schema in words, or by words alone.

    AUTO begins with the first and goes down where the endpoint refuses it.
    """

    AUTO = "auto"
    JSON_SCHEMA = "json_schema"
    JSON_OBJECT = "json_object"
    PROMPT = "prompt"


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars per million tokens. `cached` is for input that the endpoint had from before; None: as `input`."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One model behind one OpenAI-compatible endpoint.

    `name` is what tasks call it, `model` what the endpoint does. `base_url` goes up to, without, `/chat/completions`
    (`https://api.openai.com/v1`). For Azure with an `api_version` it is the resource (`https://x.openai.azure.com`),
    and `deployment` is `model` if empty; Azure without an `api_version` is its v1 API (`…/openai/v1`), spoken to like
    OpenAI. `headers` go with each request and may be secret. `vision` tells whether it takes pictures; None: not known.
    `fallback` is the `name` of the endpoint to ask where this one gives no service. `temperature` None leaves that to
    the endpoint. An answer has `max_output_tokens` at most. A call, with all that is sent again, takes `call_seconds`
    at most; of these `quiet_seconds` may pass before the answer begins and between its parts. A call is sent again
    `retries` times. So many as `max_concurrent` are under way at once. `prices` take the place of the known ones.
    """

    name: str
    model: str
    base_url: str
    key: Secret | None = None
    provider: Provider = Provider.COMPATIBLE
    api_version: str = ""
    deployment: str = ""
    headers: Mapping[str, Secret] = {}
    vision: bool | None = None
    fallback: str = ""
    temperature: float | None = None
    max_output_tokens: int = 4096
    call_seconds: float = 75.0
    quiet_seconds: float = 45.0
    structured: Structured = Structured.AUTO
    retries: int = 3
    max_concurrent: int = 16
    prices: Prices | None = None

    def shown(self, vision: str) -> bool:
        """Whether it is sent pictures: with `on` unless it is known to take none, with `auto` where it is known to."""
        return self.vision is not False if vision == "on" else self.vision is True and vision == "auto"

    @property
    def host(self) -> str:
        """The endpoint in words that may be shown: never a path, a query or a password of its URL."""
        url = URL(self.base_url)
        return url.authority.rpartition("@")[2]


Find = Callable[[str], Endpoint | None]
"""The endpoint that tasks call so, or None where none is configured by this name."""


def nowhere(name: str) -> None:
    """No endpoint: there is none."""
