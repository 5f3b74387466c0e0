"""`python -m runner.pdf_text`: the text of the PDF on standard input, within limits; status 1 where there is none."""

import io
import logging
import resource
import sys

from pypdf import PdfReader

MEMORY_BYTES = 1024 * 1024 * 1024
CPU_SECONDS = 20
MOST_PAGES = 1_000
MOST_CHARACTERS = 2_000_000


def main() -> int:
    """Write the text as UTF-8, its pages under their numbers."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    logging.disable()
    try:
        text = _text(sys.stdin.buffer.read())
    except Exception:  # a hostile file may raise anything, and all of it means the same
        return 1
    sys.stdout.buffer.write(text.encode(errors="replace"))
    return 0


def _text(data: bytes) -> str:
    reader = PdfReader(io.BytesIO(data))
    pages: list[str] = []
    room = MOST_CHARACTERS
    for number, page in enumerate(reader.pages, 1):
        if number > MOST_PAGES or room <= 0:
            pages.append(f"(cut: {len(reader.pages) - number + 1} more pages)")
            break
        if text := page.extract_text().strip()[:room]:
            pages.append(f"--- page {number} of {len(reader.pages)} ---\n{text}")
            room -= len(text)
    return "\n\n".join(pages)


if __name__ == "__main__":
    sys.exit(main())
