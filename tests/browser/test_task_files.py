"""A task gives a page a file that was uploaded, takes one from it, and both families hand it out: the whole service."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.browser.test_killed import served, until

PAGE = """<!doctype html><title>Turn round</title>
<form method=post enctype=multipart/form-data><label>Paper <input type=file name=paper></label>
<button>Send</button></form>"""


class Shop:
    """Takes a paper, and gives it back turned round."""

    def __init__(self) -> None:
        self.papers: dict[str, bytes] = {}

    async def page(self, _request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def take(self, request: web.Request) -> web.Response:
        paper = (await request.post())["paper"]
        assert isinstance(paper, web.FileField)
        self.papers[paper.filename] = paper.file.read()
        link = f'<a href="/back/{paper.filename}">Have it back</a>'
        return web.Response(text=f"<!doctype html><title>Taken</title>{link}", content_type="text/html")

    async def back(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        headers = {"Content-Disposition": f'attachment; filename="turned-{name}"', "Content-Type": "text/csv"}
        return web.Response(body=self.papers[name][::-1], headers=headers)


@pytest.fixture
async def shop() -> Any:
    shop = Shop()
    app = web.Application()
    app.router.add_get("/", shop.page)
    app.router.add_post("/", shop.take)
    app.router.add_get("/back/{name}", shop.back)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def answered(http: aiohttp.ClientSession, method: str, path: str, **body: object) -> Any:
    async with http.request(method, path, json=body or None) as response:
        assert response.status < 300, await response.text()
        return await response.json()


async def fetched(url: str) -> tuple[str, bytes]:
    """The type and the bytes, as somebody without a key gets them."""
    async with aiohttp.ClientSession() as stranger, stranger.get(url) as response:
        return response.content_type, await response.read()


def sentences(shop: str) -> str:
    return f'Go to {shop}. Upload "paper.csv" to "Paper". Click "Send". Click "Have it back".'


async def test_a_file_goes_to_a_page_and_another_comes_back(shop: str, tmp_path: Path) -> None:
    async with served(tmp_path) as (_, http):
        link = await answered(
            http, "POST", "/api/v1/uploads/presigned-url", file_name="paper.csv", content_type="text/csv"
        )
        async with aiohttp.ClientSession() as stranger, stranger.put(link["upload_url"], data=b"1,2,3") as response:
            assert 200 == response.status

        asked = {"task": sentences(shop), "included_file_names": ["paper.csv"]}
        task_id = (await answered(http, "POST", "/api/v1/run-task", **asked))["id"]
        await until(http, task_id, "task.finished")
        v1 = await answered(http, "GET", f"/api/v1/task/{task_id}")
        v2 = await answered(http, "GET", f"/api/v2/tasks/{task_id}")
        (listed,) = v2["outputFiles"]
        mine = await answered(http, "GET", f"/api/v1/task/{task_id}/output-file/{v1['output_files'][0]}")
        theirs = await answered(http, "GET", f"/api/v2/files/tasks/{task_id}/output-files/{listed['id']}")
        files = [await fetched(url) for url in (mine["download_url"], theirs["downloadUrl"])]

    assert (True, ["paper.csv"], ["turned-paper.csv"], "turned-paper.csv") == (
        v2["isSuccess"],
        v1["user_uploaded_files"],
        v1["output_files"],
        listed["fileName"],
    ), v1
    assert [("text/csv", b"3,2,1")] * 2 == files
    assert [] == list((tmp_path / "files").iterdir())


@pytest.mark.slow
async def test_a_session_has_its_files_in_a_browser_of_its_own_too(shop: str, tmp_path: Path) -> None:
    async with served(tmp_path, TAPEWRIGHT_ISOLATION="browser") as (_, http):
        session = (await answered(http, "POST", "/api/v2/sessions"))["id"]
        wish = {"fileName": "paper.csv", "contentType": "text/csv", "sizeBytes": 5}
        form = await answered(http, "POST", f"/api/v2/files/sessions/{session}/presigned-url", **wish)
        data = aiohttp.FormData(form["fields"], default_to_multipart=True)
        data.add_field("file", b"4,5,6", filename="paper.csv")
        async with aiohttp.ClientSession() as stranger, stranger.post(form["url"], data=data) as response:
            assert 204 == response.status

        asked = {"task": sentences(shop), "sessionId": session}
        task_id = (await answered(http, "POST", "/api/v2/tasks", **asked))["id"]
        await until(http, task_id, "task.finished")
        v1 = await answered(http, "GET", f"/api/v1/task/{task_id}")
        mine = await answered(http, "GET", f"/api/v1/task/{task_id}/output-file/turned-paper.csv")
        file = await fetched(mine["download_url"])

    assert (("text/csv", b"6,5,4"), ["paper.csv"]) == (file, v1["user_uploaded_files"])


async def test_what_a_killed_service_left_of_files_goes_with_the_next_start(tmp_path: Path) -> None:
    left = tmp_path / "files" / "of-a-task" / "paper.csv"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"1,2,3")
    half = tmp_path / "blobs" / ".new-half"
    half.parent.mkdir()
    half.write_bytes(b"1,")

    async with served(tmp_path) as (_, http):
        await answered(http, "GET", "/api/v1/ping")

    assert ([], False) == (list((tmp_path / "files").iterdir()), half.exists())
