"""What a session may reach, and who gets what comes of it."""

from pathlib import Path

import msgspec

from runner.egress.proxy import Egress
from runner.inbox import Inbox


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """The way out of a session, which folder its uploads come from, who gets what it downloads.

    `highlight` draws references into the pictures of its looks.
    """

    egress: Egress
    uploads: Path | None = None
    inbox: Inbox | None = None
    highlight: bool = False
