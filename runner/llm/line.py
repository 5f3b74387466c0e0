"""A line to one endpoint: says a request by the openai client and hears the answer, bounded in time and size.

Importing that costs about a second, so that is done when a line is opened.
"""

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx2
import openai

from runner.llm.connection import connect
from runner.llm.endpoints import Endpoint
from runner.llm.heard import Heard, Tokens
from runner.llm.pace import retry_after
from runner.llm.prices import cost
from runner.llm.trouble import Said, broken_off, no_answer, refused, silent, unreachable, unsendable

ERROR_BYTES = 65_536
TOKEN_BYTES = 2_048
"""What a token of an answer comes to on the wire at most: the frame of a stream's part is ten times the text."""
TOKEN_CHARACTERS = 64
LEAST_CHARACTERS = 16_384
ROOM_BYTES = 262_144


class _Bounded(httpx2.AsyncByteStream):
    """The body of a response as far as it is read: so many bytes, and not one more."""

    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream = stream
        self._left = most
        self.cut = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                self.cut = True
                return
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class Line:
    """Connections to one address, open from here to `close`. Sends nothing again and follows no redirection."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Raises Trouble: unreachable by the way that the environment has set."""
        self._sdk = connect(endpoint, response=_bound_errors)
        # The overloads want each argument by itself; the body is made where what an endpoint takes is known.
        self._create = cast(Any, self._sdk.chat.completions.with_raw_response.create)

    async def close(self) -> None:
        await self._sdk.close()

    def cost(self, endpoint: Endpoint, tokens: Tokens, answered: str) -> str | None:
        """US dollars, or None, for what the model of that name answered."""
        return cost(endpoint, tokens, answered)

    async def say(self, endpoint: Endpoint, body: dict[str, object], heard: Heard, *, most_tokens: int) -> None:
        """Send a request to an endpoint at this address and put what comes into `heard`.

        Where the answer is cut here, as it does not end, its finish is `length`. Cancelled, it hangs up.

        Raises Trouble.
        """
        try:
            raw = await self._create(**body, stream=True)
        except openai.APIStatusError as error:
            raise refused(endpoint, _said(error)) from None
        except openai.APITimeoutError:
            raise silent(endpoint) from None
        except (openai.APIConnectionError, httpx2.RequestError) as error:  # the latter in the middle of an error's text
            own = isinstance(error.__cause__, httpx2.LocalProtocolError)
            raise (unsendable if own else unreachable)(endpoint) from None
        except UnicodeEncodeError:
            raise unsendable(endpoint) from None
        response: httpx2.Response = raw.http_response
        _bound(response, ROOM_BYTES + TOKEN_BYTES * most_tokens)
        try:
            await self._hear(endpoint, response, heard, max(most_tokens * TOKEN_CHARACTERS, LEAST_CHARACTERS))
        finally:
            await response.aclose()

    async def _hear(self, endpoint: Endpoint, response: httpx2.Response, heard: Heard, most: int) -> None:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        streams = kind == "text/event-stream"
        if kind == "text/html":
            raise no_answer(endpoint)
        try:
            if kind == "application/json":
                await response.aread()
                data = response.json()
                if isinstance(data, dict) and data.get("error"):
                    raise openai.APIError("", response.request, body=data["error"])
                heard.add(data)
            else:
                await self._follow(response, heard, most)
        except openai.APITimeoutError:
            raise silent(endpoint) from None
        except openai.APIConnectionError:
            raise broken_off(endpoint) from None
        except openai.APIError as error:  # in mid stream, the status being 200 already
            raise refused(endpoint, _said(error)) from None
        except httpx2.TimeoutException:
            raise silent(endpoint) from None
        except (httpx2.RequestError, ValueError, RecursionError):
            if not _cut(response):
                raise (broken_off if streams else no_answer)(endpoint) from None
        if _cut(response):
            heard.begun, heard.finish = True, "length"
            return
        if not heard.whole:
            raise (broken_off if streams or heard.begun else no_answer)(endpoint)

    async def _follow(self, response: httpx2.Response, heard: Heard, most: int) -> None:
        stream = openai.AsyncStream[object](cast_to=object, response=response, client=self._sdk)
        while (chunk := await anext(stream, None)) is not None:
            heard.add(chunk)
            if heard.size > most:
                heard.finish = "length"
                return


async def _bound_errors(response: httpx2.Response) -> None:
    """The client reads them whole before it says anything."""
    if not response.is_success:
        _bound(response, ERROR_BYTES)


def _bound(response: httpx2.Response, most: int) -> None:
    stream = cast(httpx2.AsyncByteStream, response.stream)  # the client's is asynchronous
    response.stream = _Bounded(stream, most)


def _cut(response: httpx2.Response) -> bool:
    return isinstance(response.stream, _Bounded) and response.stream.cut


def _said(error: openai.APIError) -> Said:
    code = str(error.code or error.type or "")
    told = f"{error.param or ''} {error.message} {error.body if isinstance(error.body, list | str) else ''}"
    if not isinstance(error, openai.APIStatusError):
        return Said(status=_status(code), code=code, told=told)
    headers = error.response.headers
    wait = retry_after(headers.get("retry-after", ""), headers.get("retry-after-ms", ""))
    return Said(status=error.status_code, code=code, told=told, wait=wait)


def _status(code: str) -> int:
    """What an error in mid stream would have been, had it come at once."""
    if code.isdecimal() and len(code) == 3:
        return int(code)
    return 429 if "rate_limit" in code else 502
