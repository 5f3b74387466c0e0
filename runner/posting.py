"""Says a thing to a webhook: what is signed and how, and one request that goes only where the rules allow."""

import asyncio
import hashlib
import hmac
import json
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from eventstore.events import TaskCreated
from eventstore.hook import STATUS_UPDATE, TEST
from eventstore.outbox import Told
from runner.egress.addresses import address_of
from runner.egress.dial import Resolve, reason_of
from runner.egress.rules import Rules, is_local, refusal_of_url, split

REQUEST_SECONDS = 10.0
CONNECT_SECONDS = 5.0
ANSWER_BYTES = 64 * 1024
LOOKUP_SECONDS = 5.0
LONGEST_ERROR = 300
AGENT = "Tapewright-Webhooks/1"

AddressInfo: TypeAlias = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request: `status` is that of HTTP, 0 where there was none; `error` is empty for a success."""

    status: int = 0
    error: str = ""
    duration_ms: int = 0


class Forbidden(OSError):
    """The rules refuse the address."""


def message(told: Told, task_id: str, created: TaskCreated) -> bytes:
    """The body that tells of a status."""
    payload = {
        "session_id": created.session,
        "task_id": task_id,
        "status": told.status,
        "metadata": dict(created.metadata),
    }
    return _dumped({"type": STATUS_UPDATE, "timestamp": _iso(told.at), "payload": payload})


def ping(at: int) -> bytes:
    """The body of a test."""
    return _dumped({"type": TEST, "timestamp": _iso(at), "payload": {"test": "ok"}})


def headers(body: bytes, secret: bytes, *, hook: str, source: int, seconds: int) -> dict[str, str]:
    """The contract's headers, signed at `seconds` since 1970, and our own.

    The body is the very text that the vendor's verifiers dump from what they have parsed, so that the same signature
    holds for its raw bytes; ours says so in a form that is verified without parsing anything.
    """
    signature = hmac.new(secret, b"%d." % seconds + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "X-Browser-Use-Timestamp": str(seconds),
        "X-Browser-Use-Signature": signature,
        "X-Tapewright-Signature": f"t={seconds},v1={signature}",
        "X-Tapewright-Webhook": hook,
        "X-Tapewright-Event": str(source),
    }


class Post:
    """Sends requests: every address is checked, and what was checked is what is connected to."""

    def __init__(self, rules: Rules, resolve: Resolve) -> None:
        self._rules = rules
        self._resolve = resolve

    async def refusal(self, url: str) -> str:
        """Why nobody is told anything at this address, or an empty string: also for a name that leads nowhere now."""
        if reason := refusal_of_url(self._rules, url):
            return reason
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                parts = split(url)
                await _Checked(self._rules, self._resolve).resolve(parts.hostname or "" if parts else "")
        except Forbidden as refused:
            return str(refused)
        except (OSError, TimeoutError, UnicodeError):
            pass  # it may be there when there is something to tell
        return ""

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One attempt, which takes REQUEST_SECONDS at most. Redirects are not followed; 2xx is success."""
        begun = time.monotonic()
        status, error = await self._attempt(url, body, headers)
        took = round((time.monotonic() - begun) * 1_000)
        return Answer(status=status, error=error[:LONGEST_ERROR], duration_ms=took)

    async def _attempt(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        if reason := refusal_of_url(self._rules, url):
            return 0, reason
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS, sock_connect=CONNECT_SECONDS)
        connector = aiohttp.TCPConnector(
            resolver=_Checked(self._rules, self._resolve), socket_factory=self._socket, force_close=True
        )
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout, auto_decompress=False
                ) as http,
                http.post(url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                await _drained(response)
                return response.status, "" if 200 <= response.status < 300 else _said(response.status)
        except TimeoutError:
            return 0, f"no answer within {REQUEST_SECONDS:g} s"
        except aiohttp.ClientConnectorCertificateError as failure:
            return 0, f"the certificate was not accepted: {failure.certificate_error}"
        except aiohttp.ClientConnectorDNSError as failure:
            cause = failure.os_error
            return 0, str(cause) if isinstance(cause, Forbidden) else "the name does not resolve"
        except aiohttp.ClientOSError as failure:
            cause = failure.os_error if isinstance(failure, aiohttp.ClientConnectorError) else failure
            return 0, str(cause) if isinstance(cause, Forbidden) else reason_of(cause)
        except (aiohttp.ClientError, ssl.SSLError, ValueError) as failure:
            return 0, f"no answer that could be read ({type(failure).__name__})"

    def _socket(self, info: AddressInfo) -> socket.socket:
        """Nobody connects but through here, whatever was resolved, or not, before."""
        family, kind, protocol, _, place = info
        address = str(place[0])
        if reason := self._rules.refusal_of(address, filter(None, [address_of(address)])):
            raise Forbidden(reason)
        return socket.socket(family, kind, protocol)


class _Checked(AbstractResolver):
    """Resolves names as the machine does, and refuses one that has a single address that is refused."""

    def __init__(self, rules: Rules, resolve: Resolve) -> None:
        self._rules = rules
        self._resolve = resolve

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """See AbstractResolver. Raises Forbidden."""
        named = ("127.0.0.1", "::1") if is_local(host.lower().rstrip(".")) else await self._resolve(host, port)
        found = [address for each in named if (address := address_of(each))]
        if reason := self._rules.refusal_of(host, found):
            raise Forbidden(reason)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
            if family in (socket.AF_UNSPEC, socket.AF_INET if address.version == 4 else socket.AF_INET6)
        ]

    async def close(self) -> None:
        """Nothing is kept."""


async def _drained(response: aiohttp.ClientResponse) -> None:
    """Let the other side say its piece, as far as that is short: whether it took the message, its status has told."""
    left = ANSWER_BYTES
    with suppress(aiohttp.ClientError, TimeoutError):
        while left > 0 and (part := await response.content.read(left)):
            left -= len(part)


def _said(status: int) -> str:
    return f"HTTP {status}" + ("; redirects are not followed" if 300 <= status < 400 else "")


def _dumped(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def _iso(at: int) -> str:
    return (_EPOCH + timedelta(microseconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
