"""A file as text, a part at a time: by its encoding, or what a PDF says; what is neither is told by its kind."""

import asyncio
import codecs
import mimetypes
import sys

import structlog

from runner.masking import Mask
from runner.vocabulary import ActFailed

log = structlog.get_logger()

PAGE_CHARACTERS = 20_000
"""Of one answer: what a model reads at once."""

PDF_SECONDS = 20.0
PDF = b"%PDF-"
PDF_WITHIN = 1024
SAMPLE = 8192
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""The longer mark first: that of UTF-32 begins as one of UTF-16 does."""


def page(text: str, name: str, offset: int, mask: Mask) -> str:
    """What stands from that character on, masked, and where to read on. Raises ActFailed: bad_action.

    A secret's value is told as such in each part that has some of it: cut in two it could not be known.
    """
    if not text and not offset:
        return f"{name} is empty"
    if not 0 <= offset < len(text):
        raise ActFailed("bad_action", f"{name} has {len(text):,} characters; {offset:,} is not one of them, from 0.")
    end = offset + PAGE_CHARACTERS
    if not offset and end >= len(text):
        return mask.text(text)
    more = f"; read on with offset {end}" if end < len(text) else ", the end"
    return (
        f"{_part(text, offset, end, mask)}\n(characters {offset:,} to {min(end, len(text)):,} of {len(text):,}{more})"
    )


def _part(text: str, start: int, end: int, mask: Mask) -> str:
    first, last = max(start - mask.longest, 0), end + mask.longest
    for one, other, _ in mask.spans(text[first:last]):
        if first + one < start < first + other:
            start = first + one
        if first + one < end < first + other:
            end = first + other
    return mask.text(text[start:end])


async def text_of(name: str, data: bytes) -> str:
    """All that it says. Raises ActFailed: no_text."""
    if PDF in data[:PDF_WITHIN]:
        return await _of_pdf(name, data)
    for mark, encoding in MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\0" in data[:SAMPLE]:
        kind = mimetypes.guess_type(name)[0] or "an unknown kind"
        raise ActFailed("no_text", f"{name} is no text, but {kind} of {len(data):,} bytes.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


async def _of_pdf(name: str, data: bytes) -> str:
    """By a process of its own, with limits on time and memory: a PDF from the web may be made to use both up."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "runner.pdf_text",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PDF_SECONDS):
            out, _ = await process.communicate(data)
    except TimeoutError:
        raise ActFailed("no_text", f"{name} could not be read within {PDF_SECONDS:g} s.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        log.info("a PDF could not be read", name=name, status=process.returncode)
        raise ActFailed("no_text", f"{name} is a PDF that cannot be read: it is damaged, protected or too large.")
    text = out.decode(errors="replace")
    if not text.strip():
        raise ActFailed("no_text", f"{name} is a PDF without text, such as one of pictures.")
    return text
