"""A file as a model reads it: its text by its encoding, a part at a time; what is no text is told by its kind."""

import codecs
import zlib

import pytest

from eventstore.secrets import Secret
from runner.masking import Mask
from runner.readable import PAGE_CHARACTERS, page, text_of
from runner.vocabulary import ActFailed

NONE = Mask()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        ("Grüße".encode(), "Grüße"),
        (codecs.BOM_UTF8 + "Grüße".encode(), "Grüße"),
        ("Grüße".encode("utf-16"), "Grüße"),
        ("Grüße".encode("utf-32"), "Grüße"),
        ("Grüße".encode("cp1252"), "Grüße"),
        (b'{"a": 1}', '{"a": 1}'),
    ],
)
async def test_a_text_is_read_by_its_encoding(data: bytes, text: str) -> None:
    assert text == await text_of("a.txt", data)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.png", b"\x89PNG\0\0", "a.png is no text, but image/png of 6 bytes."),
        ("a", b"\0" * 9, "a is no text, but an unknown kind of 9 bytes."),
        ("a.pdf", b"%PDF-1.7 and then nothing", "a.pdf is a PDF that cannot be read: it is damaged, protected or"),
    ],
)
async def test_what_is_no_text_is_told_by_its_kind(name: str, data: bytes, said: str) -> None:
    with pytest.raises(ActFailed, match=said) as failed:
        await text_of(name, data)

    assert "no_text" == failed.value.code


async def test_a_pdf_is_read_page_by_page() -> None:
    text = await text_of("a.pdf", pdf("Tea 3 EUR", "", "Milk 1 EUR"))

    assert "--- page 1 of 3 ---\nTea 3 EUR\n\n--- page 3 of 3 ---\nMilk 1 EUR" == text


async def test_a_pdf_without_text_says_so() -> None:
    with pytest.raises(ActFailed, match="a PDF without text"):
        await text_of("a.pdf", pdf(""))


async def test_a_pdf_that_would_fill_the_memory_is_refused() -> None:
    bomb = zlib.compress(b"0" * (128 << 20), 9)

    with pytest.raises(ActFailed, match="cannot be read"):
        await text_of("a.pdf", pdf("", packed=bomb))


def test_a_short_text_is_read_at_once_and_a_long_one_in_parts() -> None:
    long = "ab" * PAGE_CHARACTERS

    assert "short" == page("short", "a.txt", 0, NONE)
    assert "a.txt is empty" == page("", "a.txt", 0, NONE)
    assert f"{long[:PAGE_CHARACTERS]}\n(characters 0 to 20,000 of 40,000; read on with offset 20000)" == page(
        long, "a.txt", 0, NONE
    )
    assert f"{long[39_990:]}\n(characters 39,990 to 40,000 of 40,000, the end)" == page(long, "a.txt", 39_990, NONE)


@pytest.mark.parametrize("offset", [-1, 5])
def test_an_offset_outside_of_the_text_is_refused(offset: int) -> None:
    with pytest.raises(ActFailed, match=r"a\.txt has 5 characters"):
        page("short", "a.txt", offset, NONE)


def pdf(*texts: str, packed: bytes = b"") -> bytes:
    """A PDF with a page for each text; `packed` is what stands, deflated, on the pages without one."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(texts)))
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(texts)} >>".encode(),
        font.encode(),
    ]
    for number, text in enumerate(texts):
        content = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode() if text else packed
        filters = " /Filter /FlateDecode" if packed and not text else ""
        resources = "/Resources << /Font << /F1 3 0 R >> >>"
        box = "/MediaBox [0 0 612 792]"
        contents = 5 + 2 * number
        parts.append(f"<< /Type /Page /Parent 2 0 R {box} {resources} /Contents {contents} 0 R >>".encode())
        parts.append(f"<< /Length {len(content)}{filters} >>\nstream\n".encode() + content + b"\nendstream")
    out = b"%PDF-1.4\n"
    places: list[int] = []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + part + b"\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    start = len(out)
    return (
        out
        + (
            f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n{table}"
            f"trailer\n<< /Size {len(parts) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
        ).encode()
    )


def test_a_secret_is_whole_in_no_part_and_half_in_none() -> None:
    mask = Mask({"key": Secret("correct horse")})
    text = "." * (PAGE_CHARACTERS - 4) + "correct horse" + "!" * 9

    parts = [page(text, "a.txt", offset, mask) for offset in (0, PAGE_CHARACTERS, PAGE_CHARACTERS + 8)]

    shown = [part.partition("\n(")[0] for part in parts]
    assert [
        "." * (PAGE_CHARACTERS - 4) + "<secret>key</secret>",
        "<secret>key</secret>" + "!" * 9,
        "<secret>key</secret>" + "!" * 9,
    ] == shown
