"""What is logged at which level."""

import subprocess
import sys

SCRIPT = """
import logging
from api import log

log.set_up("debug")
logging.getLogger("aiosqlite").debug("INSERT INTO events VALUES ('what was said')")
logging.getLogger("httpx2").info("HTTP Request: POST https://models.example/?key=hidden")
logging.getLogger("runner.worker").debug("a word of our own")
"""


def test_no_level_tells_the_statements_to_the_database_or_the_addresses_of_models() -> None:
    told = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)  # noqa: S603  # fixed

    assert (False, False, True) == tuple(word in told.stderr for word in ("INSERT", "hidden", "a word of our own"))
