"""Reads a form that brings a file: the fields first, within bounds, and then the file as it comes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from eventstore.errors import Invalid

MOST_FIELDS = 20
MOST_FIELD = 8_192
FIELDS_SECONDS = 30.0
PART = 64 * 1024


async def opened(request: web.Request, *, seconds: float = FIELDS_SECONDS) -> tuple[dict[str, str], BodyPartReader]:
    """The fields, and the file, of which nothing has been read yet. Raises Invalid, and HTTPRequestTimeout."""
    fields: dict[str, str] = {}
    try:
        with _readable():
            async with asyncio.timeout(seconds):
                reader = await request.multipart()
                while isinstance(part := await reader.next(), BodyPartReader) and part.name != "file":
                    if len(fields) >= MOST_FIELDS:
                        raise Invalid(f"A form has at most {MOST_FIELDS} fields.", field=("body",))
                    fields[part.name or ""] = await _field(part)
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="The form did not arrive in time.") from None
    if not isinstance(part, BodyPartReader):
        raise Invalid("field required", field=("body", "file"))
    return fields, part


async def parts(file: BodyPartReader) -> AsyncIterator[bytes]:
    """The bytes of the file. Raises Invalid for a form that breaks off."""
    with _readable():
        while not file.at_eof():
            if data := await file.read_chunk(PART):
                yield data


async def _field(part: BodyPartReader) -> str:
    data = b""
    while chunk := await part.read_chunk(MOST_FIELD):
        data += chunk
        if len(data) > MOST_FIELD:
            raise Invalid(f"A field has at most {MOST_FIELD} bytes.", field=("body", part.name or ""))
    return data.decode()


@contextmanager
def _readable() -> Iterator[None]:
    """The ways in which aiohttp says that this is no form are one to the client."""
    try:
        yield
    except (ValueError, AssertionError, RuntimeError, HttpProcessingError, web.RequestPayloadError) as error:
        raise Invalid("The form cannot be read.", field=("body",)) from error
