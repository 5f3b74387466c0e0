"""The command line's way to a service: HTTP with a limit on every wait, and failures as sentences with an exit code."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import TypeVar

import aiohttp
import msgspec
from yarl import URL

from api.present import microseconds
from api.tape_views import TapeEvent, TaskAsOf
from eventstore.codec import decode
from eventstore.events import Event

T = TypeVar("T")

CALL = aiohttp.ClientTimeout(total=30, sock_connect=5)
LONG = aiohttp.ClientTimeout(total=900, sock_connect=5)
# The service sends a comment every 15 seconds, so silence for three times as long is a dead connection.
STREAM = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=45)
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
STEADY = 10.0
LONGEST_LINE = 2**20

SUCCESS, UNSUCCESSFUL, UNUSABLE, STOPPED, LEFT = 0, 1, 2, 3, 130


class Failure(Exception):
    """A sentence for the person at the terminal, and the exit code that goes with it."""

    def __init__(self, sentence: str, code: int = UNUSABLE) -> None:
        super().__init__(sentence)
        self.code = code


class Refusal(Failure):
    """The service answered, and said no. `status` is the HTTP status."""

    def __init__(self, sentence: str, status: int, code: int = UNSUCCESSFUL) -> None:
        super().__init__(sentence, code)
        self.status = status


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the service tells it. `at` is microseconds since 1970 UTC, `json` what was sent, on one line."""

    position: int
    at: int
    stream: str
    event: Event
    json: bytes


class Client:
    """One service, spoken to with one key. Made by `connect`."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self.url = url

    async def get(
        self, path: str, kind: type[T], query: Mapping[str, str | int] | None = None, *, long: bool = False
    ) -> T:
        """The answer as `kind`. Raises Failure."""
        return _read(await self._call("GET", path, query=query, timeout=LONG if long else CALL), kind)

    async def send(
        self, method: str, path: str, kind: type[T], body: Mapping[str, object] | None = None, *, long: bool = False
    ) -> T:
        """The answer to a request that changes something, as `kind`. Raises Failure."""
        return _read(await self._call(method, path, body=body, timeout=LONG if long else CALL), kind)

    async def submit(self, words: Mapping[str, object]) -> str:
        """The id of a new task, asked for in v2's words. Raises Failure."""
        return _read(await self._call("POST", "/api/v2/tasks", body=words), _Created).id

    async def steer(self, word: str, task_id: str) -> str:
        """Pause, resume or stop a task. The state in which it then is. Raises Failure."""
        await self._call("PUT", f"/api/v1/{word}-task", query={"task_id": task_id})
        return (await self.get(f"/api/tape/tasks/{task_id}", TaskAsOf)).state

    async def follow(self, path: str, *, after: int = 0) -> AsyncGenerator[Told]:
        """The events of a stream: for ever, or until the task has ended. A lost connection goes on after the last one.

        Raises Failure when the service refuses, or is gone for as many tries in a row as PAUSES has waits.
        """
        last, tries, loop = after, 0, asyncio.get_running_loop()
        while True:
            begun = loop.time()
            try:
                async with aclosing(self._stream(path, last)) as events:
                    async for told in events:
                        last, tries = told.position, 0
                        yield told
            except _Ended:
                return
            except aiohttp.ClientConnectorError as error:
                if not tries and last == after:
                    raise self._absent() from error
            except (aiohttp.ClientError, TimeoutError):
                # The limit below ends this; that it broke says more than what it broke with.
                pass
            except (msgspec.DecodeError, ValueError) as error:
                raise Failure(f"What {self.url} tells cannot be read by this version.") from error
            tries = 0 if loop.time() - begun > STEADY else tries
            if tries == len(PAUSES):
                raise Failure(f"The connection to {self.url} was lost and could not be had again.")
            await asyncio.sleep(PAUSES[tries])
            tries += 1

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: object = None,
        timeout: aiohttp.ClientTimeout = CALL,
    ) -> bytes:
        data = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            async with self._http.request(
                method, self.url + path, params=query, data=data, headers=headers, timeout=timeout
            ) as response:
                answer = await response.read()
        except aiohttp.ClientConnectorError as error:
            raise self._absent() from error
        except TimeoutError as error:
            raise Failure(f"The service at {self.url} did not answer in time.") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise Failure(f"The service at {self.url} could not be asked: {error}.") from error
        if response.status >= 400:
            raise refusal(response.status, answer)
        return answer

    async def _stream(self, path: str, last: int) -> AsyncGenerator[Told]:
        """One connection's worth. Raises aiohttp.ClientError or TimeoutError when it drops, _Ended at the end."""
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(last)}
        async with self._http.get(
            self.url + path, headers=headers, timeout=STREAM, read_bufsize=LONGEST_LINE
        ) as response:
            if response.status == 204:
                raise _Ended
            if response.status >= 500 or response.status == 429:
                raise aiohttp.ClientPayloadError(f"status {response.status}")
            if response.status >= 400:
                raise refusal(response.status, await response.read())
            while text := await response.content.readline():
                # Every event has its position in its data, on one line: nothing else need be read.
                if text.startswith(b"data:"):
                    yield _told(text.removeprefix(b"data:").strip())

    def _absent(self) -> Failure:
        return Failure(f"No service answers at {self.url}. Start one with: tapewright serve")


@asynccontextmanager
async def connect(url: str, key: str) -> AsyncIterator[Client]:
    """A client for the service at `url` (without a scheme it means http). Nothing is asked yet. Raises Failure."""
    address = _address(url)
    if not key.strip().isascii() or not key.strip().isprintable():
        raise Failure("The key has characters that no key has.")
    headers = {"Authorization": f"Bearer {key.strip()}"} if key.strip() else {}
    async with aiohttp.ClientSession(headers=headers) as http:
        yield Client(http, address)


def _address(url: str) -> str:
    try:
        parts = URL(url if "://" in url else f"http://{url}")
        good = parts.scheme in ("http", "https") and parts.host
    except ValueError:
        good = None
    if not good:
        raise Failure(f"{url} is not the address of a service, such as http://127.0.0.1:8000")
    return str(parts).rstrip("/")


def refusal(status: int, answer: bytes) -> Refusal:
    """The service's own sentence, where it gave one."""
    if status == 401:
        return Refusal(
            "The service does not accept this key, or none was given. Give the one that it printed at its first start "
            "with --key or TAPEWRIGHT_API_KEY.",
            status,
        )
    try:
        detail = msgspec.json.decode(answer, type=_Problem).detail
    except msgspec.DecodeError:
        return Refusal(
            f"What answers there is no Tapewright service: it answered with status {status}.", status, UNUSABLE
        )
    if isinstance(detail, str):
        return Refusal(detail, status)
    return Refusal("; ".join(f"{'.'.join(map(str, item.loc))}: {item.msg}" for item in detail), status)


class _Created(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class _Item(msgspec.Struct, frozen=True, kw_only=True):
    msg: str
    loc: tuple[str | int, ...] = ()


class _Problem(msgspec.Struct, frozen=True, kw_only=True):
    detail: str | tuple[_Item, ...]


class _Ended(Exception):
    """Nothing can follow any more."""


def _told(data: bytes) -> Told:
    event = msgspec.json.decode(data, type=TapeEvent)
    payload = None if event.data == b"null" else bytes(event.data)
    return Told(
        position=event.position,
        at=microseconds(datetime.fromisoformat(event.at)),
        stream=event.stream,
        event=decode(event.type, payload),
        json=data,
    )


def _read(answer: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer, type=kind)
    except msgspec.DecodeError as error:
        raise Failure("What answers there is no Tapewright service, or one of another version.") from error
