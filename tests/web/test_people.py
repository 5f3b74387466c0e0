"""Answers to what a task asks, and control of its browser, over HTTP: a runner is played, a hand stands in for one."""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from api import control
from api.app import create_app
from api.human import Door, Human
from api.service import Service
from eventstore import decide
from eventstore import events as e
from eventstore.answers import vault_name
from eventstore.human import HumanInput, HumanOutcome
from tests.web.conftest import KEY, Client, Drive, MakeClient

CODE = "730 195"


class Hand(Human):
    """Remembers what was done, and how often it was kept apart."""

    def __init__(self) -> None:
        self.done: list[tuple[HumanInput, str]] = []
        self.kept_apart = 0

    async def act(self, asked: HumanInput, *, actor: str) -> HumanOutcome:
        self.done.append((asked, actor))
        return HumanOutcome(url="http://shop.test/", problem="")

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[None]:
        self.kept_apart += 1
        yield


class Inside(Door):
    """The tasks that have a browser here."""

    def __init__(self) -> None:
        self.inside: dict[str, Hand] = {}

    def acting(self, task_id: str) -> Human | None:
        return self.inside.get(task_id)


@pytest.fixture
def door() -> Inside:
    return Inside()


@pytest.fixture
async def client(service: Service, door: Inside, aiohttp_client: MakeClient) -> Client:
    """A client with the right key, of a service that has browsers behind the door."""
    app = create_app(dataclasses.replace(service, door=door))
    return await aiohttp_client(app, headers={"Authorization": f"Bearer {KEY}"})


async def ask(drive: Drive, kind: str = "code", prompt: str = "Which code?", request: str = "q1") -> str:
    """A running task that asks; its id."""
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.ask(task_id, kind, prompt, request)
    return task_id


async def post(client: Client, task_id: str, what: str, body: Any, **headers: str) -> tuple[int, Any]:
    answer = await client.post(f"/api/tape/tasks/{task_id}/{what}", json=body, headers=headers)
    return answer.status, await answer.json()


async def kept(service: Service, task_id: str, request: str = "q1") -> bytes | None:
    return await service.vault.get(vault_name(control.stream(task_id), request))


async def test_a_task_that_asks_is_seen_as_paused_by_every_family(client: Client, drive: Drive) -> None:
    task_id = await ask(drive)

    ours = await (await client.get(f"/api/tape/tasks/{task_id}")).json()
    v1 = await (await client.get(f"/api/v1/task/{task_id}/status")).json()
    v2 = await (await client.get(f"/api/v2/tasks/{task_id}")).json()

    question = ours["question"]
    asked, expires = question.pop("asked_at"), question.pop("expires_at")
    assert {"request": "q1", "kind": "code", "prompt": "Which code?"} == question
    assert asked < expires
    assert ("paused", "input", "paused", "started") == (ours["state"], ours["hold"], v1, v2["status"])


async def test_an_answer_is_in_the_vault_and_on_no_tape(
    client: Client, service: Service, drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    task_id = await ask(drive)

    status, body = await post(client, task_id, "input", {"value": CODE})

    tape = await drive.tape(task_id)
    expected = {"id": task_id, "state": "resuming", "hold": "none", "controlled": False, "question": None}
    assert (200, expected) == (status, body)
    assert CODE.encode() == await kept(service, task_id)
    assert isinstance(tape[-1].event, e.InputProvided)
    assert "q1" == tape[-1].event.request
    assert tape[-1].actor.startswith("key:")
    assert CODE not in repr(tape) + caplog.text


@pytest.mark.parametrize(("kind", "value", "known"), [
    ("text", "Ada", b"Ada"),
    ("confirm", "yes", b"yes"),
    ("confirm", True, b"yes"),
    ("confirm", "False", b"no"),
    ("captcha", "", b"done"),
    ("captcha", "whatever", b"done"),
])  # fmt: skip
async def test_every_kind_of_question_has_its_answers(
    client: Client, service: Service, drive: Drive, kind: str, value: Any, known: bytes
) -> None:
    task_id = await ask(drive, kind)

    status, _ = await post(client, task_id, "input", {"value": value, "request": "q1"})

    assert (200, known) == (status, await kept(service, task_id))


@pytest.mark.parametrize(("kind", "body", "where"), [
    ("code", {"value": ""}, ["body", "value"]),
    ("code", {}, ["body", "value"]),
    ("code", {"value": True}, ["body", "value"]),
    ("code", {"value": "x" * 4097}, ["body", "value"]),
    ("code", {"value": 730195}, ["body", "value"]),
    ("confirm", {"value": "maybe"}, ["body", "value"]),
    ("code", {"value": "1", "request": "q" * 101}, ["body", "request"]),
])  # fmt: skip
async def test_what_is_no_answer_is_named_and_the_question_stays_open(
    client: Client, service: Service, drive: Drive, kind: str, body: Any, where: list[str]
) -> None:
    task_id = await ask(drive, kind)

    status, answer = await post(client, task_id, "input", body)

    assert (422, where) == (status, answer["detail"][0]["loc"])
    assert None is await kept(service, task_id)
    assert "q1" == (await service.tasks.load(control.stream(task_id))).asking


async def test_where_nothing_is_asked_an_answer_is_refused_in_words(
    client: Client, service: Service, drive: Drive
) -> None:
    running = await drive.create()
    await drive.start(running)
    asking = await ask(drive)
    theirs = await drive.create(project="other")

    refused = [
        await post(client, running, "input", {"value": CODE}),
        await post(client, asking, "input", {"value": CODE, "request": "q0"}),
        await post(client, theirs, "input", {"value": CODE}),
    ]

    assert [
        (409, {"detail": "The task asks nothing now."}),
        (409, {"detail": "This question waits for no answer (any more)."}),
        (404, {"detail": "Task not found"}),
    ] == refused
    assert None is await kept(service, asking, "q0")


async def test_an_answer_sent_twice_is_one_and_the_first_of_two_counts(
    client: Client, service: Service, drive: Drive
) -> None:
    task_id = await ask(drive)

    answers = await asyncio.gather(
        *[post(client, task_id, "input", {"value": f"value {number}"}, **{"Idempotency-Key": f"k{number}"})
          for number in range(4)]
    )  # fmt: skip
    (won,) = [number for number, (status, _) in enumerate(answers) if status == 200]
    repeated, _ = await post(client, task_id, "input", {"value": f"value {won}"}, **{"Idempotency-Key": f"k{won}"})

    assert [409] * 3 == sorted(status for status, _ in answers)[1:]
    assert 200 == repeated
    assert f"value {won}".encode() == await kept(service, task_id)
    assert 1 == sum(isinstance(recorded.event, e.InputProvided) for recorded in await drive.tape(task_id))


async def test_the_next_question_is_another_one(client: Client, service: Service, drive: Drive) -> None:
    task_id = await ask(drive)
    await post(client, task_id, "input", {"value": CODE})
    await drive._decide(task_id, partial(decide.unpark, fence=await drive._fence(task_id)))
    await drive.ask(task_id, "text", "Whose?", "q2")

    late, _ = await post(client, task_id, "input", {"value": "x", "request": "q1"})
    status, _ = await post(client, task_id, "input", {"value": "Ada"})

    assert (409, 200) == (late, status)
    assert (CODE.encode(), b"Ada") == (await kept(service, task_id), await kept(service, task_id, "q2"))


async def test_a_task_that_has_not_run_yet_has_no_browser_to_be_taken_over(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await client.put(f"/api/v1/pause-task?task_id={task_id}")

    refused = await post(client, task_id, "control", {"action": "take"})

    assert (409, {"detail": "The task was paused before it had a browser; resume it first."}) == refused


async def test_control_is_taken_of_a_paused_task_and_returned(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    running = await post(client, task_id, "control", {"action": "take"})
    await drive.pause(task_id)

    taken = [await post(client, task_id, "control", {"action": "take"}, **{"Idempotency-Key": "k"}) for _ in range(2)]
    shown = await (await client.get(f"/api/tape/tasks/{task_id}")).json()
    returned = [await post(client, task_id, "control", {"action": "return", "reason": "done"}) for _ in range(2)]

    paused = {"id": task_id, "state": "paused", "question": None}
    assert (409, {"detail": "Only a paused task can be taken over; this one is running."}) == running
    assert [(200, {**paused, "hold": "none", "controlled": True})] * 2 == taken
    assert True is shown["controlled"]
    assert [(200, {**paused, "hold": "none", "controlled": False})] * 2 == returned
    assert ["ControlTaken", "ControlReturned"] == [
        type(each.event).__name__ for each in (await drive.tape(task_id))[-2:]
    ]
    assert "done" == getattr((await drive.tape(task_id))[-1].event, "reason", "")


async def test_a_resume_and_a_stop_return_control_first_and_keep_hands_apart(
    client: Client, door: Inside, drive: Drive
) -> None:
    hand, told = Hand(), []
    for path, method in (("resume", "put"), ("stop", "put")):
        task_id = await drive.create()
        await drive.start(task_id)
        await drive.pause(task_id)
        door.inside[task_id] = hand
        await post(client, task_id, "control", {"action": "take"})
        await getattr(client, method)(f"/api/v1/{path}-task", params={"task_id": task_id})
        told.append([type(each.event).__name__ for each in (await drive.tape(task_id))[-2:]])

    assert [["ControlReturned", "ResumeRequested"], ["ControlReturned", "StopRequested"]] == told
    assert 2 == hand.kept_apart


async def test_one_thing_is_done_by_hand(client: Client, door: Inside, drive: Drive) -> None:
    task_id = await drive.create()
    hand = Hand()
    door.inside[task_id] = hand

    done = await post(client, task_id, "control/act", {"act": "click", "x": 10, "y": 20.5})
    wrong = await post(client, task_id, "control/act", {"act": "click", "x": "left"})
    unknown = await post(client, task_id, "control/act", {"act": "shout"})

    assert (200, {"url": "http://shop.test/", "problem": ""}) == done
    ((asked, actor),) = hand.done
    assert HumanInput(act="click", x=10.0, y=20.5) == asked
    assert actor.startswith("key:")
    assert [(422, ["body", "x"]), (422, ["body", "act"])] == [
        (status, answer["detail"][0]["loc"]) for status, answer in (wrong, unknown)
    ]


async def test_a_task_without_a_browser_here_and_one_of_others_have_no_hands(client: Client, drive: Drive) -> None:
    mine, theirs = await drive.create(), await drive.create(project="other")

    answers = [await post(client, task_id, "control/act", {"act": "reload"}) for task_id in (mine, theirs)]

    refusal = "The task has no browser here now; pause it while it runs, and take control first."
    assert [(409, {"detail": refusal}), (404, {"detail": "Task not found"})] == answers


async def test_keys_that_only_read_neither_answer_nor_drive(client: Client, drive: Drive) -> None:
    task_id = await ask(drive)
    headers = await drive.key("read")

    statuses = [
        (await post(client, task_id, what, body, **headers))[0]
        for what, body in (
            ("input", {"value": "1"}),
            ("control", {"action": "take"}),
            ("control/act", {"act": "reload"}),
        )
    ]

    assert [403] * 3 == statuses


async def test_redaction_takes_answers_away_that_were_left_behind(
    client: Client, service: Service, drive: Drive
) -> None:
    task_id = await ask(drive)
    await post(client, task_id, "input", {"value": CODE})
    await drive.stop(task_id)

    status, _ = await post(client, task_id, "redact", {})

    assert (200, None) == (status, await kept(service, task_id))
