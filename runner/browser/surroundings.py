"""What a browser's processes see of our environment: what runs the pages gets none of our keys."""

import os
import re
from collections.abc import Mapping

_OURS = ("TAPEWRIGHT_", "OPENAI_")
_KEYS = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)


def surroundings(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables without our settings, and without those that are called as a key is."""
    return {name: value for name, value in environ.items() if not name.startswith(_OURS) and not _KEYS.search(name)}
