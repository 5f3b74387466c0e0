"""Marks what comes from pages and files as data: it stands between marks that no page can write."""

import re
import secrets

_ALIKE = re.compile(r"<(?=/?\s*untrusted)", re.IGNORECASE)


class Fence:
    """Of one task. `mark` is random, and is taken out of all that stands within."""

    def __init__(self, mark: str = "") -> None:
        self.mark = mark or secrets.token_hex(6)
        self._mark = re.compile(re.escape(self.mark), re.IGNORECASE)

    @property
    def opening(self) -> str:
        """What stands before data."""
        return f"<untrusted-{self.mark}>"

    @property
    def closing(self) -> str:
        """What stands after data."""
        return f"</untrusted-{self.mark}>"

    def around(self, text: str) -> str:
        """The text as data."""
        return f"{self.opening}{_ALIKE.sub('[…]', self._mark.sub('[…]', text))}{self.closing}"

    def block(self, text: str) -> str:
        """The text as data, on lines of its own."""
        return self.around(f"\n{text}\n")
