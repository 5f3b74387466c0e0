"""The live page's socket: who is let in, what he is told and shown, what he may do, and how it ends."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from aiohttp import ClientWebSocketResponse, WSCloseCode, WSMsgType, WSServerHandshakeError
from yarl import URL

from api.app import create_app
from api.auth import ENVIRONMENT
from api.human import Door, Human
from api.reels import Reels
from api.service import Service
from api.watch_link import _signed
from api.watchers import WATCHERS, Watchers
from eventstore import decide
from eventstore import events as e
from eventstore.human import HumanInput, HumanOutcome
from runner.reel import Put, Reel
from tests.web.conftest import Client, Drive, MakeClient

LIMIT = 60.0


class Stage(Reels, Door, Human):
    """One browser for every task: its pictures are put by the test, its inputs are noted."""

    def __init__(self) -> None:
        self.reel = Reel(self._run)
        self.shown = asyncio.Event()
        self.left = asyncio.Event()
        self.inputs: list[HumanInput] = []
        self.actors: list[str] = []
        self._put: Put = lambda _data, _width, _height: None

    async def _run(self, put: Put) -> None:
        self._put = put
        self.shown.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.shown.clear()
            self.left.set()

    def watching(self, task_id: str) -> AbstractAsyncContextManager[Reel]:
        return self.reel.watch()

    def acting(self, task_id: str) -> Human:
        return self

    async def act(self, asked: HumanInput, *, actor: str) -> HumanOutcome:
        self.inputs.append(asked)
        self.actors.append(actor)
        return HumanOutcome(url="http://shop.test/")

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[None]:
        yield

    async def put(self, data: bytes) -> None:
        await self.shown.wait()
        self._put(data, 800, 600)


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
async def live(service: Service, stage: Stage, aiohttp_client: MakeClient) -> Client:
    """A client without a key of a service where every task has a browser."""
    return await aiohttp_client(create_app(replace(service, reels=stage, door=stage)))


def headers(client: Client) -> dict[str, str]:
    return {"Authorization": "Bearer a-key-that-is-long-enough"}


async def link(live: Client, task_id: str, key: dict[str, str] | None = None) -> URL:
    """The live page's address below the service's own."""
    answer = await live.get(f"/api/v1/task/{task_id}", headers=key or headers(live))
    return URL(URL((await answer.json())["live_url"]).raw_path_qs, encoded=True)


async def opened(live: Client, page: URL) -> ClientWebSocketResponse:
    return await live.ws_connect(page.with_path(page.path + "/socket", keep_query=True))


async def refused(live: Client, page: URL) -> int:
    with pytest.raises(WSServerHandshakeError) as caught:
        await opened(live, page)
    return caught.value.status


async def told(socket: ClientWebSocketResponse, kind: str, **fields: object) -> dict[str, Any]:
    """The next message of that type in which the fields are so."""
    async with asyncio.timeout(LIMIT):
        while True:
            message = await socket.receive()
            assert message.type in (WSMsgType.TEXT, WSMsgType.BINARY), message
            if message.type is WSMsgType.TEXT:
                word = json.loads(message.data)
                if word["type"] == kind and fields.items() <= word.items():
                    return dict(word)


async def picture(socket: ClientWebSocketResponse) -> bytes:
    async with asyncio.timeout(LIMIT):
        while (message := await socket.receive()).type is not WSMsgType.BINARY:
            assert message.type is WSMsgType.TEXT
        return bytes(message.data)


async def closed(socket: ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(LIMIT):
        while not socket.closed:
            await socket.receive()
    return socket.close_code


async def test_the_page_may_stand_in_any_frame_and_loads_nothing_of_others(live: Client, drive: Drive) -> None:
    page = await link(live, await drive.create())

    answer = await live.get(page)

    policy = answer.headers["Content-Security-Policy"]
    assert 200 == answer.status
    assert (True, True, False) == ("frame-ancestors *" in policy, "script-src 'self';" in policy, "unsafe" in policy)
    assert "no-referrer" == answer.headers["Referrer-Policy"]
    assert 200 == (await live.get("/live/assets/live.js")).status


async def test_a_link_opens_only_its_own_task_and_only_as_it_was_signed(live: Client, drive: Drive) -> None:
    mine, other = await drive.create(), await drive.create()
    page = await link(live, mine)
    token = page.query["token"]
    late = token.split(".")

    wrong = [
        URL(f"/live/{other}").with_query(token=token),
        URL(f"/live/{mine}").with_query(token="r" + token[1:]),
        URL(f"/live/{mine}").with_query(token=".".join([late[0], str(int(late[1]) + 1), *late[2:]])),
        URL(f"/live/{mine}").with_query(token="c.1.key:env.x"),
        URL(f"/live/{mine}"),
    ]

    assert [401] * 5 == [await refused(live, each) for each in wrong]
    assert [401] * 5 == [(await live.get(each)).status for each in wrong]


async def test_a_link_that_is_not_good_is_told_to_a_person_as_a_page_and_to_a_program_as_json(
    live: Client, drive: Drive
) -> None:
    page = URL(f"/live/{await drive.create()}").with_query(token="c.1.key:env.x")
    sentence = "This link is not good, or no longer; ask for a new one."

    shown = await live.get(page, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    told = await live.get(page)

    policy = shown.headers["Content-Security-Policy"]
    assert (401, "text/html", "no-store") == (shown.status, shown.content_type, shown.headers["Cache-Control"])
    assert (True, "no-referrer", "nosniff") == (
        "default-src 'none'" in policy, shown.headers["Referrer-Policy"], shown.headers["X-Content-Type-Options"],
    )  # fmt: skip
    assert f"<p>{sentence}</p>" in await shown.text()
    assert (401, {"detail": sentence}) == (told.status, await told.json())


@pytest.mark.parametrize(("seconds", "status"), [(60, 200), (-1, 401)])
async def test_a_link_is_good_until_its_time(
    live: Client, drive: Drive, service: Service, seconds: int, status: int
) -> None:
    task_id, until = await drive.create(), int(time.time()) + seconds
    signature = service.signer.signature(_signed(service, task_id, "c", ENVIRONMENT.actor), until)

    page = URL(f"/live/{task_id}").with_query(token=f"c.{until}.{ENVIRONMENT.actor}.{signature}")

    assert status == (await live.get(page)).status


async def test_a_link_is_the_same_for_a_while_so_that_answers_are(live: Client, drive: Drive) -> None:
    task_id = await drive.create()

    first = await link(live, task_id)
    second = await link(live, task_id)

    assert abs(int(first.query["token"].split(".")[1]) - int(second.query["token"].split(".")[1])) in (0, 3600)


async def test_who_may_only_look_is_told_and_shown_and_can_do_nothing(live: Client, drive: Drive, stage: Stage) -> None:
    task_id = await drive.create(instruction="Open the <b>shop</b>.")
    await drive.start(task_id)
    await drive.step(task_id)
    socket = await opened(live, await link(live, task_id, await drive.key("read")))

    task = await told(socket, "task")
    steps = await told(socket, "steps")
    await stage.put(b"\xff\xd8 one")
    first = await picture(socket)
    await socket.send_json({"type": "steer", "what": "stop"})
    problem = await told(socket, "problem")

    assert ("running", "read", "Open the <b>shop</b>.") == (task["state"], task["right"], task["instruction"])
    assert (0, [(1, ['click "Buy"'])]) == (
        steps["place"],
        [(step["number"], step["acts"]) for step in steps["steps"]],
    )
    assert (800).to_bytes(2) + (600).to_bytes(2) + b"\xff\xd8 one" == first
    assert "With this link one can only watch." == problem["text"]


async def test_a_person_pauses_drives_and_gives_back_in_the_name_of_the_key(
    live: Client, drive: Drive, stage: Stage
) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    socket = await opened(live, await link(live, task_id))
    await told(socket, "task", state="running")

    await socket.send_json({"type": "hand", "number": 1, "input": {"act": "click", "x": 1, "y": 2}})
    too_early = await told(socket, "done", number=1)
    await socket.send_json({"type": "steer", "what": "pause"})
    await told(socket, "task", state="pausing")
    await drive.answer(task_id)
    await told(socket, "task", state="paused")
    await socket.send_json({"type": "steer", "what": "take"})
    await told(socket, "task", driving=True)
    await socket.send_json({"type": "hand", "number": 2, "input": {"act": "click", "x": 1, "y": 2}})
    done = await told(socket, "done", number=2)
    await socket.send_json({"type": "steer", "what": "return"})
    await told(socket, "task", controlled=False, driving=False)

    assert "Take control of the browser first." == too_early["problem"]
    assert {"type": "done", "number": 2, "url": "http://shop.test/", "problem": ""} == done
    assert ([HumanInput(act="click", x=1, y=2)], [ENVIRONMENT.actor]) == (stage.inputs, stage.actors)
    actors = {(each.type, each.actor) for each in await drive.tape(task_id)}
    assert {("task.control_taken", "key:env"), ("task.control_returned", "key:env")} <= actors


async def test_only_the_page_that_took_control_last_drives(live: Client, drive: Drive, stage: Stage) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.pause(task_id)
    page = await link(live, task_id)
    one, two = await opened(live, page), await opened(live, page)
    await one.send_json({"type": "steer", "what": "take"})
    await told(one, "task", driving=True)

    await two.send_json({"type": "steer", "what": "take"})
    await told(two, "task", driving=True)
    await told(one, "task", controlled=True, driving=False)
    await one.send_json({"type": "hand", "number": 1, "input": {"act": "click", "x": 1, "y": 2}})
    refusal = await told(one, "done", number=1)

    assert ("Take control of the browser first.", []) == (refusal["problem"], stage.inputs)


async def test_who_gave_control_back_does_not_drive_when_another_takes_it(
    live: Client, drive: Drive, stage: Stage
) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.pause(task_id)
    socket = await opened(live, await link(live, task_id))
    await socket.send_json({"type": "steer", "what": "take"})
    await told(socket, "task", driving=True)
    await socket.send_json({"type": "steer", "what": "return"})
    await told(socket, "task", controlled=False)

    await live.post(f"/api/tape/tasks/{task_id}/control", headers=headers(live), json={"action": "take"})
    taken = await told(socket, "task", controlled=True)
    await socket.send_json({"type": "hand", "number": 1, "input": {"act": "click", "x": 1, "y": 2}})
    refusal = await told(socket, "done", number=1)

    assert (False, "Take control of the browser first.", []) == (taken["driving"], refusal["problem"], stage.inputs)


async def test_a_question_is_shown_and_answered_and_the_answer_is_on_no_tape(live: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    fence = (await drive.service.tasks.load(f"task-{task_id}")).fence
    asked = e.InputRequested(fence=fence, step=0, request="q1", kind="code", prompt="The code?", seconds=60)
    await drive._decide(task_id, lambda task: decide.ask(task, asked))
    socket = await opened(live, await link(live, task_id))
    shown = await told(socket, "task")

    await socket.send_json({"type": "answer", "request": "q1", "value": "739155"})
    await told(socket, "task", question=None)

    assert {"request": "q1", "kind": "code", "prompt": "The code?"} == shown["question"]
    tape = await drive.tape(task_id)
    assert "task.input_provided" in [each.type for each in tape]
    assert [] == [each for each in tape if each.payload and b"739155" in bytes(each.payload)]


@pytest.mark.parametrize(
    "said",
    [
        "nonsense",
        '{"type": "steer", "what": "format"}',
        '{"type": "hand", "number": 1, "input": {"act": "click", "x": 1e9}}',
        '{"type": "hand", "number": -1, "input": {"act": "back"}}',
        '{"type": "steer", "what": "pause", "more": 1}',
        "[" * 5000,
    ],
)
async def test_what_cannot_be_read_is_refused_in_words_and_the_socket_goes_on(
    live: Client, drive: Drive, said: str
) -> None:
    task_id = await drive.create()
    socket = await opened(live, await link(live, task_id))

    await socket.send_str(said)
    problem = await told(socket, "problem")
    await socket.send_json({"type": "steer", "what": "pause"})
    await told(socket, "task", state="paused")

    assert problem["text"].startswith("This cannot be read: ")


async def test_a_message_that_is_too_large_ends_its_socket_alone(live: Client, drive: Drive) -> None:
    page = await link(live, await drive.create())
    one, other = await opened(live, page), await opened(live, page)

    await one.send_str("x" * 100_000)

    assert WSCloseCode.MESSAGE_TOO_BIG == await closed(one)
    await told(other, "task")


async def test_a_slow_watcher_gets_the_newest_picture_and_not_those_before(
    live: Client, drive: Drive, stage: Stage
) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    socket = await opened(live, await link(live, task_id))
    await stage.put(b"\xff\xd8 first")
    first = await picture(socket)

    for number in range(100):
        await stage.put(b"\xff\xd8 %d" % number)
    second = await picture(socket)

    assert (b"first", b"99") == (first.split()[-1], second.split()[-1])


async def test_pictures_are_taken_only_while_somebody_watches(live: Client, drive: Drive, stage: Stage) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    socket = await opened(live, await link(live, task_id))
    await stage.put(b"\xff\xd8 one")
    await picture(socket)
    during = stage.reel.watchers

    await socket.close()
    async with asyncio.timeout(LIMIT):
        await stage.left.wait()

    assert (1, False) == (during, stage.shown.is_set())


async def test_a_link_ends_with_its_key(live: Client, drive: Drive) -> None:
    task_id = await drive.create()
    key = await drive.key("read", "control")
    page = await link(live, task_id, key)
    socket = await opened(live, page)
    await told(socket, "task")
    stream = next(each.stream for each in await drive.service.store.read() if each.stream.startswith("key-"))

    (revoked,) = await drive.service.store.append(stream, 1, [e.KeyRevoked()], actor="system")
    await drive.service.projector.reached(revoked.position)
    await drive.start(task_id)  # news, so that it is looked at once
    over = await told(socket, "over")

    assert "This link is no longer good; ask for a new one." == over["text"]
    assert (WSCloseCode.OK, 401) == (await closed(socket), await refused(live, page))


async def test_so_many_may_watch_one_task_and_no_more(
    service: Service, stage: Stage, drive: Drive, aiohttp_client: MakeClient
) -> None:
    app = create_app(replace(service, reels=stage, door=stage))
    app[WATCHERS] = Watchers(each=2, most=3)
    live = await aiohttp_client(app)
    one, other = await link(live, await drive.create()), await link(live, await drive.create())
    sockets = [await opened(live, one), await opened(live, one)]

    of_one = await refused(live, one)
    sockets.append(await opened(live, other))
    of_all = await refused(live, other)

    assert [429, 429] == [of_one, of_all]
    for socket in sockets:
        await told(socket, "task")


async def test_at_the_end_of_the_service_every_socket_is_closed_in_order(live: Client, drive: Drive) -> None:
    socket = await opened(live, await link(live, await drive.create()))
    await told(socket, "task")

    live.app[WATCHERS].close()

    assert WSCloseCode.GOING_AWAY == await closed(socket)
    assert 503 == await refused(live, await link(live, await drive.create()))


async def test_what_belongs_to_another_project_is_not_there(live: Client, drive: Drive, service: Service) -> None:
    theirs = await drive.create(project="theirs")
    page = await link(live, theirs, await drive.key("read", project="theirs"))
    token = page.query["token"]

    answers = [await refused(live, URL(f"/live/{await drive.create()}").with_query(token=token))]
    socket = await opened(live, page)
    await told(socket, "task", id=theirs)

    assert [401] == answers


async def test_of_an_ended_task_there_are_its_last_picture_and_its_video(live: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.step(task_id, screenshot=b"\x89PNG one")
    fence = (await drive.service.tasks.load(f"task-{task_id}")).fence
    await drive.finish(task_id, "Done.")
    blob = await drive.service.blobs.put(b"video")
    file = e.File(id="v1", name="recording-1.webm", blob=blob, size=5, content_type="video/webm")
    socket = await opened(live, await link(live, task_id))
    await told(socket, "task", ended=True, output="Done.", recordings=[])

    saved = e.RecordingSaved(fence=fence, file=file, duration_ms=1000)
    await drive._decide(task_id, lambda task: [saved])
    word = await told(socket, "task")
    base = URL("/live/x")
    found = [await live.get(base.join(URL(each))) for each in (word["screenshot"], *word["recordings"])]

    assert [(200, b"\x89PNG one"), (200, b"video")] == [(each.status, await each.read()) for each in found]


async def test_a_session_is_watched_through_all_its_tasks(live: Client, drive: Drive) -> None:
    key = headers(live)
    session = await (await live.post("/api/v2/sessions", headers=key, json={})).json()
    page = URL(URL(session["liveUrl"]).raw_path_qs, encoded=True)
    socket = await opened(live, page)

    first = await drive.create(session=session["id"], instruction="First.")
    await told(socket, "task", id=first)
    await drive.start(first)
    await drive.finish(first)
    second = await drive.create(session=session["id"], instruction="Second.")
    word = await told(socket, "task", id=second)

    assert "Second." == word["instruction"]


async def test_a_session_without_a_task_has_nothing_to_be_steered(live: Client) -> None:
    session = await (await live.post("/api/v2/sessions", headers=headers(live), json={})).json()
    socket = await opened(live, URL(URL(session["liveUrl"]).raw_path_qs, encoded=True))

    await socket.send_json({"type": "steer", "what": "stop"})
    problem = await told(socket, "problem")

    assert "There is no task here yet." == problem["text"]


async def test_a_video_that_would_not_be_made_is_refused_by_the_name_of_the_field(
    service: Service, aiohttp_client: MakeClient
) -> None:
    off = replace(service, settings=msgspec.structs.replace(service.settings, recordings="off"))
    silent, recording = await aiohttp_client(create_app(off)), await aiohttp_client(create_app(service))
    body = {"task": "Go to shop.test.", "sessionSettings": {"enableRecording": True}}

    answers = [await each.post("/api/v2/tasks", headers=headers(each), json=body) for each in (silent, recording)]
    locs = [error["loc"] for error in (await answers[0].json())["detail"]]
    created = (await answers[1].json())["id"]
    row = await service.projector.tasks.find(created)

    assert ([422, 202], [["body", "sessionSettings", "enableRecording"]]) == ([each.status for each in answers], locs)
    assert row is not None
    assert row.options.record


async def test_a_session_names_its_newest_video(live: Client, drive: Drive) -> None:
    key, asked = headers(live), {"enableRecording": True}
    session = await (await live.post("/api/v2/sessions", headers=key, json=asked)).json()
    task_id = await drive.create(session=session["id"])
    await drive.start(task_id)
    fence = (await drive.service.tasks.load(f"task-{task_id}")).fence
    file = e.File(id="v1", name="recording-1.webm", blob="0" * 64, size=5, content_type="video/webm")
    await drive._decide(task_id, lambda task: [e.RecordingSaved(fence=fence, file=file)])

    view = await (await live.get(f"/api/v2/sessions/{session['id']}", headers=key)).json()

    assert (None, f"/files/tasks/{task_id}/v1") == (session["recordingUrl"], URL(view["recordingUrl"]).path)
