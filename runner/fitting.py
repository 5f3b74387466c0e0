"""Text from pages and models has no bound and need not be well-formed; what goes on the tape has and is."""

import msgspec


def fitting(text: str, most: int) -> str:
    """The beginning of the text that takes at most `most` (2 or more) bytes as JSON; a lone surrogate becomes `?`."""
    text = text.encode("utf-8", "replace").decode()
    while (size := len(msgspec.json.encode(text))) > most:
        text = text[: len(text) * most // size]
    return text
