"""The command line's client against servers that behave badly."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from api.client import UNSUCCESSFUL, UNUSABLE, Failure, connect, refusal
from api.commands.common import complete
from api.commands.serve import announce
from api.models import Models
from api.settings import Settings
from tests.configured import model

EVENT = (
    b'{"position":%d,"stream":"task-1","version":1,"type":"task.danced","at":"2026-01-31T12:00:00.000001Z","actor":"a",'
    b'"command_id":"","data":{},"hash":""}'
)


async def test_a_stream_that_breaks_off_goes_on_after_the_last_event() -> None:
    asked: list[str] = []

    async def one_at_a_time(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers["Last-Event-ID"])
        if len(asked) == 4:
            return web.Response(status=204)
        if len(asked) == 2:
            return web.Response(status=503)
        return web.Response(body=b"retry: 2000\n\n: ping\n\nid: 7\nevent: x\ndata: " + EVENT % len(asked) + b"\n\n")

    app = web.Application()
    app.router.add_get("/api/tape/events", one_at_a_time)
    async with TestServer(app) as server, connect(str(server.make_url("")), "key") as client:
        told = [(each.position, each.at) async for each in client.follow("/api/tape/events")]

    assert [(1, 1769860800000001), (3, 1769860800000001)] == told
    assert ["0", "1", "1", "3"] == asked


async def test_a_task_that_moves_on_to_the_next_page_meanwhile_is_still_one() -> None:
    task = {"id": "01a2-1", "task": "Buy tea.", "status": "created", "created_at": "2026-01-31T12:00:00Z"}

    async def on_every_page(request: web.Request) -> web.Response:
        page = int(request.query["page"])
        return web.json_response({"tasks": [task], "total_pages": 2, "page": page, "limit": 100, "total_count": 101})

    app = web.Application()
    app.router.add_get("/api/v1/tasks", on_every_page)
    async with TestServer(app) as server, connect(str(server.make_url("")), "key") as client:
        found = await complete(client, "01a2")

    assert "01a2-1" == found


async def test_what_cannot_be_read_is_a_sentence_and_not_a_traceback() -> None:
    async def nonsense(_request: web.Request) -> web.Response:
        return web.Response(body=b"data: <html>\n\n")

    app = web.Application()
    app.router.add_get("/{path:.*}", nonsense)
    async with TestServer(app) as server, connect(str(server.make_url("")), "key") as client:
        with pytest.raises(Failure, match="no Tapewright service, or one of another version"):
            await client.get("/api/tape/tasks/1", int)
        with pytest.raises(Failure, match="cannot be read by this version"):
            await anext(client.follow("/api/tape/events"))


@pytest.mark.parametrize("url", ["ftp://a.test", "http://", "http://[::1", "http://a.test:99999"])
async def test_what_is_no_address_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(Failure, match="is not the address of a service"):
        async with connect(url, ""):
            pass


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (409, b'{"detail":"Stopped tasks cannot be resumed"}', ("Stopped tasks cannot be resumed", UNSUCCESSFUL)),
        (422, b'{"detail":[{"loc":["body","a",0],"msg":"no","type":"t"}]}', ("body.a.0: no", UNSUCCESSFUL)),
        (503, b'{"detail":"The log is busy."}', ("The log is busy.", UNSUCCESSFUL)),
        (502, b"<html>", ("What answers there is no Tapewright service: it answered with status 502.", UNUSABLE)),
    ],
)
def test_a_refusal_is_told_in_the_services_words(status: int, answer: bytes, said: tuple[str, int]) -> None:
    refused = refusal(status, answer)

    assert said == (str(refused), refused.code)


def test_the_fresh_key_stands_in_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings()

    models = Models(table=(model("gpt-*"), model("big")), default="big")

    announce(settings, models, "http://127.0.0.1:8000", "tw_key", as_json=False)
    announce(settings, models, "http://127.0.0.1:8000", None, as_json=False)

    where = [
        "Tapewright listens on http://127.0.0.1:8000",
        f"Its data is in {settings.data_dir}",
        "Its models are big, gpt-*, instructions; tasks that name none get big",
    ]
    first = [
        "",
        "This is your API key. It is shown this once and cannot be read again:",
        "",
        "TAPEWRIGHT_API_KEY=tw_key",
        "",
    ]
    assert [*first, *where, *where] == capsys.readouterr().out.splitlines()
