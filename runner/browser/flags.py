"""How a browser of its own is started: nothing of the person's, nothing in the background, one way out."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from runner.browser.chromium import FLAGS
from runner.egress.upstream import Upstream

SWITCHES = (
    "--allow-pre-commit-input",
    "--disable-back-forward-cache",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-breakpad",
    "--disable-component-extensions-with-background-pages",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-features=AvoidUnnecessaryBeforeUnloadCheckSync,HttpsFirstBalancedModeAutoEnable,HttpsUpgrades,"
    "LensOverlay,MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,PaintHolding,ThirdPartyStoragePartitioning,"
    "Translate",
    "--disable-field-trial-config",
    "--disable-hang-monitor",
    "--disable-infobars",
    "--disable-ipc-flooding-protection",
    "--disable-popup-blocking",
    "--disable-prompt-on-repost",
    "--disable-renderer-backgrounding",
    "--disable-search-engine-choice-screen",
    "--enable-automation",
    "--enable-unsafe-swiftshader",
    "--force-color-profile=srgb",
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--password-store=basic",
    "--use-mock-keychain",
)
WINDOWLESS = ("--headless=new", "--hide-scrollbars", "--mute-audio")
PREFERENCES = {"download_restrictions": 3, "credentials_enable_service": False}
"""Also while nobody is attached: no downloads, no offers to save passwords."""


def command(
    executable: str,
    profile: Path,
    *,
    proxy: int,
    headless: bool,
    viewport: tuple[int, int],
    more: Sequence[str] = (),
) -> Sequence[str]:
    """What to run. Listens for DevTools on a loopback port of its choice, sends everything to the proxy's port."""
    return (
        executable,
        *FLAGS,
        *SWITCHES,
        *(WINDOWLESS if headless else ()),
        *(() if os.geteuid() else ("--no-sandbox",)),  # Chromium refuses to run sandboxed as root
        f"--user-data-dir={profile}",
        f"--window-size={viewport[0]},{viewport[1]}",
        f"--proxy-server=http://127.0.0.1:{proxy}",
        "--proxy-bypass-list=<-loopback>",
        "--remote-debugging-address=127.0.0.1",
        "--remote-debugging-port=0",
        *more,
        "about:blank",
    )


def certificates(proxy: Upstream | None) -> Sequence[str]:
    """What a browser is told of a proxy that signs certificates of its own."""
    return ("--ignore-certificate-errors",) if proxy is not None and proxy.untrusted else ()


def prepare(profile: Path, preferences: Mapping[str, object]) -> None:
    """Make the profile with its preferences, and with these."""
    (profile / "Default").mkdir(mode=0o700, parents=True)
    (profile / "Default" / "Preferences").write_text(json.dumps({**PREFERENCES, **preferences}), "utf-8")
