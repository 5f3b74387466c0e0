"""Pictures for people who watch: moving ones of the current tab, or covered ones while there are secrets."""

import asyncio

import pytest
from playwright.async_api import Page

from eventstore.secrets import Secret
from runner.browser.browsers import Session
from runner.reel import Picture, Reel
from runner.wallet import Wallet
from tests.playing import go

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 120.0
JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG"


async def next_picture(reel: Reel, after: int) -> Picture:
    async with asyncio.timeout(LIMIT):
        picture = await reel.newest(after)
    assert picture is not None
    return picture


async def test_pictures_follow_the_current_tab(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/index.html")
    reel = Reel(fresh.show)

    async with reel.watch():
        first = picture = await next_picture(reel, 0)
        other = await _page(fresh).context.new_page()
        await other.set_viewport_size({"width": 1000, "height": 500})
        while picture.width == first.width:
            picture = await next_picture(reel, picture.number)

    assert (JPEG, 1280, 800) == (first.data[:3], first.width, first.height)
    assert (JPEG, 1000, 500) == (picture.data[:3], picture.width, picture.height)


async def test_while_there_are_secrets_every_picture_is_a_covered_one(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/index.html")
    reel = Reel(fresh.show)

    async with reel.watch():
        moving = await next_picture(reel, 0)
        fresh.wallet = Wallet({"word": Secret("Fruit & more")})
        covered = await next_picture(reel, moving.number)
        while not covered.data.startswith(PNG):
            covered = await next_picture(reel, covered.number)
    bare = await _page(fresh).screenshot(scale="css")

    assert (JPEG, PNG) == (moving.data[:3], covered.data[:4])
    assert bare != covered.data


def _page(session: Session) -> Page:
    tab = session._tabs.current_now
    assert tab is not None
    return tab.page
