"""Running a recorded task again: what is created, and what is refused by name before anything begins."""

from typing import Any

import msgspec
import pytest

from api.models import Configured, Models
from api.service import Service
from eventstore import events as e
from eventstore.secrets import vault_name
from tests.web.conftest import Client, Drive

Act = tuple[str, dict[str, object]]
ADA: Act = ("input", {"text": "Ada", "target": {"text": "Name"}})
PASS: Act = ("input", {"text": "<secret>pass</secret>", "target": {"text": "Password"}})
HIDDEN: Act = ("input", {"text": "********", "target": {"text": "PIN"}})


@pytest.fixture
def service(service: Service) -> Service:
    """With one model."""
    table = (Configured(name="m", provider="openai", model="m", base_url="http://models.test"),)
    object.__setattr__(service, "models", Models(table=table))
    return service


async def recorded(drive: Drive, *acts: Act, end: bool = True, **fields: Any) -> str:
    """A task that did these acts, one in each step."""
    task_id = await drive.create(**fields)
    await drive.start(task_id)
    for number, act in enumerate(acts, 1):
        await did(drive, task_id, number, act)
    if end:
        await drive.finish(task_id, "done")
    return task_id


async def did(drive: Drive, task_id: str, number: int, act: Act) -> None:
    """A step of that act."""
    name, body = act
    known = {"fence": 2, "step": number, "index": 0}
    params = msgspec.json.encode({name: body}).decode()
    await drive.record(
        task_id,
        e.StepStarted(fence=2, number=number),
        msgspec.convert({**known, "name": name, "params": params, "effect": "local"}, e.ActionStarted),
        msgspec.convert({**known, "ok": True}, e.ActionEnded),
        e.StepTaken(fence=2, number=number),
    )


async def created(drive: Drive, task_id: str) -> Any:
    return (await drive.tape(task_id))[0].event


async def test_a_rerun_is_the_same_task_in_a_session_of_its_own_and_says_what_it_plays(
    client: Client, drive: Drive
) -> None:
    first = await recorded(
        drive, ADA, metadata={"a": "b"}, start_url="http://shop.test/", allowed_domains=["shop.test"]
    )

    answer = await client.post(f"/api/tape/tasks/{first}/rerun", json={"inputs": {"Ada": "Bob"}})
    begun = await answer.json()
    then, now = await created(drive, first), await created(drive, begun["id"])
    view = await (await client.get(f"/api/tape/tasks/{begun['id']}")).json()

    assert (202, {"id": begun["id"], "acts": 1, "stops_at": None}) == (answer.status, begun)
    assert (first, e.Replay(task=first, inputs={"Ada": "Bob"})) == (now.rerun_of, now.replay)
    assert then.session != now.session
    same = ("instruction", "llm", "project", "family", "start_url", "allowed_domains", "metadata", "options")
    assert [getattr(then, name) for name in same] == [getattr(now, name) for name in same]
    assert (first, None) == (view["rerun_of"], view.get("forked_from"))


async def test_a_fork_has_words_and_a_model_of_its_own(client: Client, drive: Drive) -> None:
    first = await recorded(drive, ADA, ADA, end=False)

    asked = {"step": 1, "task": "Buy two.", "llm": "m", "max_steps": 5}
    begun = await (await client.post(f"/api/tape/tasks/{first}/fork", json=asked)).json()
    now = await created(drive, begun["id"])
    view = await (await client.get(f"/api/tape/tasks/{begun['id']}")).json()

    assert ("Buy two.", "m", first, "", 6) == (
        now.instruction, now.llm, now.forked_from, now.rerun_of, now.limits.max_steps,
    )  # fmt: skip
    assert e.Replay(task=first, until=1, then="model") == now.replay
    assert (1, first) == (begun["acts"], view["forked_from"])


async def test_the_same_key_is_the_same_rerun_whatever_became_of_the_recorded_task(
    client: Client, drive: Drive
) -> None:
    first = await recorded(drive, ADA)
    headers = {"Idempotency-Key": "once"}
    one = await client.post(f"/api/tape/tasks/{first}/rerun", headers=headers)
    await client.post(f"/api/tape/tasks/{first}/redact", json={"reason": "asked for"})

    again = await client.post(f"/api/tape/tasks/{first}/rerun", headers=headers)
    other = await client.post(f"/api/tape/tasks/{first}/rerun", json={"metadata": {"a": "b"}}, headers=headers)
    new = await client.post(f"/api/tape/tasks/{first}/rerun")

    assert (await one.json())["id"] == (await again.json())["id"]
    assert (202, "true", 422, 410) == (again.status, again.headers["Idempotency-Replayed"], other.status, new.status)


async def test_secrets_are_given_again_and_kept_in_the_vault(client: Client, drive: Drive) -> None:
    first = await recorded(drive, PASS, secrets=["pass", "unused"])
    path = f"/api/tape/tasks/{first}/rerun"

    without = await client.post(path)
    given = await client.post(path, json={"secrets": {"pass": "hunter2222"}})
    task_id = (await given.json())["id"]
    now = await created(drive, task_id)

    flaw = (await without.json())["detail"][0]
    assert (422, ["body", "secrets", "pass"]) == (without.status, flaw["loc"])
    assert "give them again: pass." in flaw["msg"]
    assert ("pass",) == now.secrets
    assert b"hunter2222" in (await drive.service.vault.get(vault_name(f"task-{task_id}", now)) or b"")
    assert all(b"hunter2222" not in (each.payload or b"") for each in await drive.tape(task_id))


async def test_an_answer_of_a_person_is_asked_for_again_and_is_no_missing_secret(client: Client, drive: Drive) -> None:
    ask: Act = ("ask", {"prompt": "Code?", "kind": "code"})
    first = await recorded(drive, ask, ("input", {"text": "<secret>answer</secret>"}))

    assert 202 == (await client.post(f"/api/tape/tasks/{first}/rerun")).status


async def test_what_is_not_on_the_tape_is_given_as_a_secret(client: Client, drive: Drive) -> None:
    first = await recorded(drive, ADA, HIDDEN)
    path = f"/api/tape/tasks/{first}/rerun"
    secret = {"inputs": {"step 2": "<secret>pin</secret>"}, "secrets": {"pin": "1234"}}

    given = await client.post(path, json=secret)
    refused = [
        (await (await client.post(path, json=body)).json())["detail"][0]
        for body in ({}, {**secret, "inputs": {"********": "1234"}}, {**secret, "secrets": {}})
    ]

    assert 202 == given.status
    assert [["body", "inputs"], ["body", "inputs", "********"], ["body", "secrets", "pin"]] == [
        flaw["loc"] for flaw in refused
    ]
    assert (
        'What step 2 typed is not on the tape ("********"); write {"step 2": "<secret>name</secret>"}'
        in refused[0]["msg"]
    )


@pytest.mark.parametrize(
    ("word", "body", "loc", "words"),
    [
        ("rerun", {"inputs": {"Eve": "Bob"}}, ["body", "inputs", "Eve"], 'typed were: "Ada"'),
        ("rerun", {"inputs": {"Ada": "x" * 20_001}}, ["body", "inputs", "Ada"], "at most 20,000 characters"),
        ("rerun", {"inputs": {"Ada": "x" * 40_001}}, ["body", "inputs"], "at most 40,000 characters in all"),
        ("rerun", {"inputs": dict.fromkeys(map(str, range(101)), "")}, ["body", "inputs"], "At most 100 inputs"),
        ("rerun", {"llm": "m"}, ["body", "llm"], "Without `rescue` no model is asked"),
        (
            "rerun",
            {"rescue": True},
            ["body", "llm"],
            "instructions cannot look at a page and go on; name a model. Configured: m.",
        ),
        ("rerun", {"rescue": True, "llm": "n"}, ["body", "llm"], 'No model "n" is configured'),
        (
            "rerun",
            {"inputs": {"Ada": "hunter2222"}, "secrets": {"x": "hunter2222"}},
            ["body", "secrets", "x"],
            "An input says the value",
        ),
        ("fork", {"step": 3, "task": "Go on."}, ["body", "step"], "no step 3 that is over; it has 1, 2."),
        ("fork", {"step": 0, "task": "Go on."}, ["body", "step"], "Expected `int` >= 1"),
        ("fork", {"step": 1, "task": " "}, ["body", "task"], "must not be empty"),
        ("fork", {"step": 1, "task": "Go on.", "llm": "n"}, ["body", "llm"], 'No model "n" is configured'),
    ],
)
async def test_what_is_wrong_is_named(
    client: Client, drive: Drive, word: str, body: dict[str, object], loc: list[str], words: str
) -> None:
    first = await recorded(drive, ADA, ADA)

    answer = await client.post(f"/api/tape/tasks/{first}/{word}", json=body)

    flaw = (await answer.json())["detail"][0]
    assert (422, loc) == (answer.status, flaw["loc"])
    assert words in flaw["msg"]


async def test_a_task_that_goes_on_or_did_nothing_is_not_run_again(client: Client, drive: Drive) -> None:
    going, idle = await recorded(drive, ADA, end=False), await recorded(drive)

    answers = [await client.post(f"/api/tape/tasks/{each}/rerun") for each in (going, idle)]

    assert [409, 409] == [answer.status for answer in answers]
    assert "has not ended yet" in (await answers[0].json())["detail"]
    assert "did nothing" in (await answers[1].json())["detail"]


async def test_whoever_begins_is_told_where_it_will_stop_at_what_a_person_did(client: Client, drive: Drive) -> None:
    first = await recorded(drive, ADA, end=False)
    await drive.pause(first)
    await drive._decide(first, lambda task: [e.ControlTaken()])
    await drive.record(first, e.HumanActed(fence=2, name="click", params="{}"))
    await drive.resume(first)
    await drive.finish(first)

    begun = await (await client.post(f"/api/tape/tasks/{first}/rerun")).json()

    assert (1, 2) == (begun["acts"], begun["stops_at"])
