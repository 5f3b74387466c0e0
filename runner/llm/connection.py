"""Opens the openai client for one endpoint: what goes there is what its settings say, nothing of the environment."""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import cache

import httpx2
import openai
from yarl import URL

from runner.llm.endpoints import Endpoint, Provider
from runner.llm.trouble import no_way, untrusting

CONNECT_SECONDS = 10.0
NO_KEY = "none"
OWN_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})

NEEDED_HEADERS = frozenset(
    {
        "host",
        "connection",
        "accept",
        "accept-encoding",
        "content-type",
        "content-length",
        "transfer-encoding",
        "user-agent",  # there are gateways that refuse those who have none
        "x-stainless-raw-response",  # by this the client knows how to hand the answer over
    }
)
"""What a request cannot do without. All else that goes along is of the settings."""

OPENAI_HEADERS = frozenset({"openai-organization", "openai-project"})
"""Of the environment: these are for OpenAI, and nobody else's business."""


def connect(endpoint: Endpoint, *, response: Callable[[httpx2.Response], Awaitable[None]]) -> openai.AsyncOpenAI:
    """The client, which is the caller's to close. It sends nothing again and follows no redirection.

    `response` hears of each response before its body is read. Raises Trouble where the environment has it go by a
    proxy, or trust certificates, that cannot be used.
    """
    timeout = openai.Timeout(endpoint.quiet_seconds, connect=min(CONNECT_SECONDS, endpoint.quiet_seconds))
    headers = _headers(endpoint)
    http = _http(endpoint, timeout, response, NEEDED_HEADERS | {name.lower() for name in headers})
    key = endpoint.key.reveal() if endpoint.key else NO_KEY
    if _is_resource(endpoint):
        return openai.AsyncAzureOpenAI(
            azure_endpoint=endpoint.base_url,
            api_version=endpoint.api_version,
            api_key=key,
            max_retries=0,
            timeout=timeout,
            default_headers=headers,
            http_client=http,
        )
    return openai.AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=key,
        max_retries=0,
        timeout=timeout,
        default_headers=headers,
        http_client=http,
    )


def _headers(endpoint: Endpoint) -> Mapping[str, str]:
    """Those of the settings. The key is among them, or the client would put one of the environment in its place."""
    headers = {name: value.reveal() for name, value in endpoint.headers.items()}
    name = "api-key" if _is_resource(endpoint) else "Authorization"
    if endpoint.key is None or name.lower() in {each.lower() for each in headers}:
        return headers
    key = endpoint.key.reveal()
    return {name: key if _is_resource(endpoint) else f"Bearer {key}", **headers}


def _http(
    endpoint: Endpoint,
    timeout: openai.Timeout,
    response: Callable[[httpx2.Response], Awaitable[None]],
    told: frozenset[str],
) -> httpx2.AsyncClient:
    allowed = told | OPENAI_HEADERS if endpoint.provider is Provider.OPENAI else told

    async def request(sent: httpx2.Request) -> None:
        """OPENAI_CUSTOM_HEADERS goes to whomever the client speaks to, and may hold a key."""
        for name in set(sent.headers) - allowed:
            del sent.headers[name]

    try:
        return openai.DefaultAsyncHttpxClient(
            timeout=timeout,
            verify=_trusted(),
            trust_env=URL(endpoint.base_url).host not in OWN_MACHINE,  # no proxy has to do with these
            follow_redirects=False,  # or the key goes where nobody meant it to go
            headers={"Accept-Encoding": "identity"},  # or the bound is one on what was packed
            event_hooks={"request": [request], "response": [response]},
        )
    except OSError:
        raise untrusting(endpoint) from None
    except (ImportError, ValueError, httpx2.InvalidURL):  # a proxy may have a password in it: it is not repeated
        raise no_way(endpoint) from None


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed. Reading them takes longer than all else that a line needs."""
    return httpx2.create_ssl_context()


def _is_resource(endpoint: Endpoint) -> bool:
    """Whether it is Azure by its older API, which has addresses and a header of its own."""
    return endpoint.provider is Provider.AZURE and bool(endpoint.api_version)
