"""Puppeteer drives a lent browser, where node is installed, and `make setup` has installed puppeteer-core."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from tests.browser.test_killed import LIMIT, served
from tests.browser.test_lent import lent, read

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCRIPT = Path(__file__).parent / "puppeteer.cjs"
NODE = shutil.which("node")
ENVIRON = {**os.environ, "NODE_PATH": str(Path(__file__).parents[2] / ".venv" / "node" / "node_modules")}


def missing() -> str:
    """What is not there, or nothing."""
    if NODE is None:
        return "node is not installed"
    found = subprocess.run(  # noqa: S603 - as above
        (NODE, "-e", "require.resolve('puppeteer-core')"), capture_output=True, check=False, env=ENVIRON
    )
    return "" if found.returncode == 0 else "puppeteer-core is not installed (make setup does it)"


@pytest.mark.skipif(bool(missing()), reason=missing() or "nothing is missing")
async def test_puppeteer_drives_a_lent_browser_and_closes_it(site: str, tmp_path: Path) -> None:
    async with served(tmp_path) as (_, http):
        made = await lent(http)
        process = await asyncio.create_subprocess_exec(
            *(str(NODE), str(SCRIPT), made["cdpUrl"], site),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=ENVIRON,
        )
        async with asyncio.timeout(LIMIT):
            out, _ = await process.communicate()
            seen = msgspec.json.decode(out)
            while (ended := await read(http, made))["status"] == "active":  # noqa: ASYNC110 - it is polled
                await asyncio.sleep(0.1)

    assert ("Ann", True) == (seen["name"], seen["picture"])
    assert "Page.navigate is refused: file:///etc/passwd" in seen["refused"]
    assert "Target.createBrowserContext with proxyServer is refused" in seen["proxied"]
    assert "stopped" == ended["status"]
