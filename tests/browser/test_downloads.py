"""What pages hand out becomes a file of the task, bounded, in a shared browser and in one of its own."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeAlias

import pytest
import pytest_asyncio
from aiohttp import web

from runner.browser.browsers import Browsers, BrowserSettings
from runner.browser.isolated import open_isolated
from runner.egress.addresses import LOOPBACK
from runner.inbox import Inbox
from runner.ports import Wanted
from runner.vocabulary import ActFailed, Click, Navigate, Query
from tests.browser.conftest import LIMIT
from tests.playing import do, go

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = """<!doctype html><title>Files</title>
<a href="/file/by-link.csv">By link</a> <a href="/file/by-word.csv" download>By word</a>
<a href="/file/in-a-tab.csv" target="_blank">In a tab</a> <button>Made here</button>
<script>document.querySelector('button').onclick = () => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(['made here']));
  link.download = 'made.txt';
  link.click();
}</script>"""
Kept: TypeAlias = list[tuple[str, bytes]]


async def page(_request: web.Request) -> web.Response:
    return web.Response(text=PAGE, content_type="text/html")


async def file(request: web.Request) -> web.Response:
    """Its name as what it holds."""
    name = request.match_info["name"]
    return web.Response(body=name.encode(), headers={"Content-Disposition": f'attachment; filename="{name}"'})


PAPER = b"%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj " + (
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 144]>>endobj\ntrailer<</Root 1 0 R>>\n"
)


async def paper(_request: web.Request) -> web.Response:
    return web.Response(body=PAPER, content_type="application/pdf")


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Disposition": "attachment; filename=endless.bin"})
    await response.prepare(request)
    while True:
        await response.write(bytes(1 << 16))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/file/{name}", file)
    app.router.add_get("/endless", endless)
    app.router.add_get("/paper.pdf", paper)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def keeping(into: Kept, *, most_bytes: int = 1 << 20) -> Inbox:
    return Inbox(lambda name, path: into.append((name, path.read_bytes())), most_bytes=most_bytes)


def wanted(folder: Path, inbox: Inbox | None) -> Wanted:
    return Wanted(viewport=(800, 600), action_seconds=LIMIT, downloads=folder, inbox=inbox)


async def test_files_come_whichever_way_a_page_hands_them_out(browsers: Browsers, shop: str, tmp_path: Path) -> None:
    kept: Kept = []
    inbox = keeping(kept)
    async with browsers.session(wanted(tmp_path, inbox)) as session:
        await go(session, shop)

        said = [await do(session, Click(target=Query(text=text))) for text in ("By link", "By word", "In a tab")]
        said.append(await do(session, Navigate(url=f"{shop}/file/by-address.csv")))
        await do(session, Click(target=Query(text="Made here")))
        await inbox.last(late=True)

    names = ["by-link.csv", "by-word.csv", "in-a-tab.csv", "by-address.csv"]
    assert [(name, name.encode()) for name in names] + [("made.txt", b"made here")] == kept
    assert [
        'clicked link "By link"; downloaded by-link.csv',
        'clicked link "By word"; downloaded by-word.csv',
        'clicked link "In a tab"; downloaded in-a-tab.csv',
        f"asked for {shop}/file/by-address.csv, which is a file; downloaded by-address.csv",
    ] == said
    assert [] == os.listdir(tmp_path)


async def test_a_pdf_is_said_to_be_one_and_becomes_a_file(browsers: Browsers, shop: str, tmp_path: Path) -> None:
    kept: Kept = []
    async with browsers.session(wanted(tmp_path, keeping(kept))) as session:
        said = await go(session, f"{shop}/paper.pdf")
        seen = await session.look(tree=True)

    assert f"opened {shop}/paper.pdf; downloaded paper.pdf" == said
    assert [("paper.pdf", PAPER)] == kept
    assert "(This is a PDF document in the browser's viewer:" == " ".join(seen.tree.split()[:9])
    assert () == seen.news


async def test_what_has_no_end_is_cut_off_at_the_bound(browsers: Browsers, shop: str, tmp_path: Path) -> None:
    kept: Kept = []
    async with browsers.session(wanted(tmp_path, keeping(kept))) as session:
        await go(session, shop)

        said = await do(session, Navigate(url=f"{shop}/endless"))
        after = await do(session, Click(target=Query(text="By link")))

    assert [("by-link.csv", b"by-link.csv")] == kept
    assert said.endswith("; endless.bin was not downloaded: a task downloads at most 1,048,576 bytes")
    assert after.endswith("; downloaded by-link.csv")


async def test_contexts_do_not_see_each_others_files(browsers: Browsers, shop: str, tmp_path: Path) -> None:
    mine: Kept = []
    theirs: Kept = []
    async with (
        browsers.session(wanted(tmp_path, keeping(mine))) as one,
        browsers.session(wanted(tmp_path, keeping(theirs))) as other,
    ):
        await go(one, shop)
        await go(other, shop)

        await asyncio.gather(
            do(one, Click(target=Query(text="By link"))), do(other, Click(target=Query(text="By word")))
        )

    assert ([("by-link.csv", b"by-link.csv")], [("by-word.csv", b"by-word.csv")]) == (mine, theirs)


async def test_without_an_inbox_nothing_is_downloaded(browsers: Browsers, shop: str, tmp_path: Path) -> None:
    async with browsers.session(wanted(tmp_path, None)) as session:
        await go(session, shop)

        said = await do(session, Click(target=Query(text="By link")))
        with pytest.raises(ActFailed, match=r"is a file to download, and not a page\. Downloads are not"):
            await do(session, Navigate(url=f"{shop}/file/x.csv"))

    assert ('clicked link "By link"', []) == (said, os.listdir(tmp_path))


def lying(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_what_comes_while_no_task_is_at_work_is_not_left_lying_about(
    browsers: Browsers, shop: str, tmp_path: Path
) -> None:
    names: list[str] = []

    def moved(name: str, path: Path) -> None:
        path.unlink()
        names.append(name)

    inbox = Inbox(moved)
    async with browsers.session(wanted(tmp_path, inbox)) as session:
        await go(session, shop)

        session.inbox = None
        await do(session, Click(target=Query(text="By link")))
        session.inbox = inbox
        await do(session, Click(target=Query(text="By word")))

        async with asyncio.timeout(LIMIT):
            while lying(tmp_path):  # noqa: ASYNC110 - a file system tells nobody
                await asyncio.sleep(0.01)
    assert "by-word.csv" in names


@pytest.mark.slow
async def test_a_browser_of_its_own_downloads_too(shop: str, tmp_path: Path) -> None:
    kept: Kept = []
    settings = BrowserSettings(navigation_seconds=LIMIT, answer_seconds=LIMIT, private=LOOPBACK)
    (tmp_path / "files").mkdir()
    async with (
        open_isolated(settings, tmp_path / "browsers") as isolated,
        isolated.session(wanted(tmp_path / "files", keeping(kept))) as session,
    ):
        await go(session, shop)

        said = await do(session, Click(target=Query(text="By word")))

    assert ('clicked link "By word"; downloaded by-word.csv', [("by-word.csv", b"by-word.csv")]) == (said, kept)
