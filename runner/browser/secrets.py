"""Secrets on their way into a page: to the one document that was checked, and into no message."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgspec
from playwright.async_api import ElementHandle, Error

from runner.browser.resolve import Handle, Scene
from runner.browser.wishes import Found, describe
from runner.placeholders import names
from runner.ports import Resolved
from runner.vocabulary import ActFailed, Input


async def claimed(scene: Scene, resolved: Resolved) -> Resolved:
    """The act with the secrets that it will type and where to. Raises ActFailed: secret_refused."""
    action, handle = resolved.action, resolved.handle
    if not isinstance(action, Input) or not isinstance(handle, Handle) or not handle.found:
        return resolved
    wanted = names(action.text)
    if not wanted:
        return resolved
    async with element(scene, handle.found) as (_, url):
        secrets = tuple((name, scene.wallet.host(name, url)) for name in wanted)
    return msgspec.structs.replace(resolved, secrets=secrets)


async def fill(scene: Scene, action: Input, found: Found) -> str:
    """Type the text with the values in it. Raises ActFailed, and Playwright's errors with the values masked."""
    try:
        async with element(scene, found) as (handle, url):
            for name in names(action.text):
                scene.wallet.host(name, url)
            await handle.fill(scene.wallet.filled(action.text), timeout=scene.milliseconds)
    except Error as error:
        # Playwright quotes what it was to type. Without the cause, no traceback can.
        raise type(error)(scene.wallet.mask.text(error.message)) from None
    return f"typed into {describe(found.seen)}"


@asynccontextmanager
async def element(scene: Scene, found: Found) -> AsyncIterator[tuple[ElementHandle, str]]:
    """The element itself and the address of its document. When its frame goes elsewhere, the element is of no use."""
    handle = await found.locator.element_handle(timeout=scene.milliseconds)
    try:
        frame = await handle.owner_frame()
        if frame is None:
            raise ActFailed("no_target", f"{describe(found.seen)} went away.")
        yield handle, frame.url
    finally:
        with suppress(Error):  # it went away with its document
            await handle.dispose()
