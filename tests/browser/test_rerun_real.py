"""Rows that look the same: a rerun acts on the very one that was meant, wherever it is by then, or on none."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from aiohttp import web

from eventstore import events as e
from tests.browser.test_rooms_real import LIMIT, House

PAGE = """<!doctype html><title>Rows</title><ul>{rows}</ul>{likes}<label>Said <input id="said" readonly></label>
<script>
document.addEventListener('click', ({{target}}) => {{
  if (target.tagName !== 'BUTTON') return;
  const row = target.closest('li');
  said.value += row ? row.innerText.split(' ')[0] : [...document.querySelectorAll('.like')].indexOf(target) + 1;
}});
</script>"""
TASKS = {"row": 'Click "Delete" in the row of "Milk".', "like": 'Click the second "Like" button.'}
READ = 'Extract the text of "Said".'
PATIENT = e.Limits(action_seconds=LIMIT, step_seconds=LIMIT)
HASTE = 0.5
"""Seconds for the first act on a page, which fails: it is tried for so long."""


class Shop:
    """A page whose rows can be put in another order, or taken away."""

    def __init__(self) -> None:
        self.rows = ["Tea", "Milk", "Bread"]
        self.likes = 3
        self.url = ""

    async def page(self, _request: web.Request) -> web.Response:
        rows = "".join(f"<li>{row} <button>Delete</button></li>" for row in self.rows)
        likes = '<div><button class="like">Like</button></div>' * self.likes
        return web.Response(text=PAGE.format(rows=rows, likes=likes), content_type="text/html")


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop()
    app = web.Application()
    app.router.add_get("/", shop.page)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shop.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield shop
    await runner.cleanup()


async def play(house: House, name: str, of: str, *, seconds: float = LIMIT) -> e.Event:
    """How a rerun ends that has so long for each act."""
    return await house.begin(
        name,
        instruction="again",
        session=name,
        replay=e.Replay(task=of),
        limits=e.Limits(action_seconds=seconds, step_seconds=LIMIT),
    )


async def test_a_rerun_clicks_in_the_row_that_was_meant_or_not_at_all(shop: Shop, tmp_path: Path) -> None:
    house = House(tmp_path, isolated=False)
    async with house.runner("r"):
        row, like = [
            await house.begin(name, instruction=f"Go to {shop.url}. {task} {READ}", session=name, limits=PATIENT)
            for name, task in TASKS.items()
        ]
        shop.rows = ["Bread", "Tea", "Milk", "Eggs"]
        moved = await play(house, "moved", "row")
        shop.likes = 4
        more = await play(house, "more", "like", seconds=HASTE)
        shop.rows = ["Tea", "Bread"]
        gone = await play(house, "gone", "row", seconds=HASTE)
        shop.rows = ["Milk", "Tea", "Milk"]
        several = await play(house, "several", "row", seconds=HASTE)

    said = [event.output for event in (row, like, moved) if isinstance(event, e.TaskFinished) and event.success]
    refused = [event.message for event in (more, gone, several) if isinstance(event, e.TaskFailed)]
    codes = [event.code for event in (more, gone, several) if isinstance(event, e.TaskFailed)]
    assert ["Milk", "2", "Milk"] == said, (row, like, moved)
    assert ["differs"] * 3 == codes, (more, gone, several)
    assert '4 elements look like button "Like" now, and 3 did then.' in refused[0]
    assert 'No button "Delete" is where it was (internal:role=listitem >> internal:has-text="Milk"i' in refused[1]
    assert 'Closest: button "Delete", ' in refused[1]
    assert '2 elements are what button "Delete" alone was: 1. button "Delete" in the row "Milk Delete"' in refused[2]
