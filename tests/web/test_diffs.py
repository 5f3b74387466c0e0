"""Two runs side by side over HTTP: what differs is told, in words too; pictures are compared, within bounds."""

from io import BytesIO
from typing import Any

import msgspec
from PIL import Image

from api import likeness
from eventstore import events as e
from eventstore.blobs import Blobs
from tests.web.conftest import Client, Drive


def picture(*dots: tuple[int, int], size: tuple[int, int] = (10, 10)) -> bytes:
    """White, with black dots."""
    image = Image.new("RGB", size, "white")
    for dot in dots:
        image.putpixel(dot, (0, 0, 0))
    out = BytesIO()
    image.save(out, format="PNG")
    return out.getvalue()


async def run(drive: Drive, *pictures: bytes, output: str = "done", **fields: Any) -> str:
    """A task with a step for each picture."""
    task_id = await drive.create(**fields)
    await drive.start(task_id)
    for number, each in enumerate(pictures, 1):
        await drive.step(task_id, number, screenshot=each)
    await drive.finish(task_id, output)
    return task_id


async def told(client: Client, path: str) -> Any:
    response = await client.get(f"/api/tape/tasks/{path}")
    assert 200 == response.status, await response.text()
    return await response.json()


async def test_runs_that_did_the_same_do_not_differ_and_their_pictures_are_compared(
    client: Client, drive: Drive
) -> None:
    a = await run(drive, picture(), picture(), b"no picture", b"")
    b = await run(drive, picture(), picture((1, 1), (2, 2)), picture(), picture())

    diff = await told(client, f"{a}/diff/{b}")

    assert (False, "", []) == (diff["differ"], diff["first"], diff["end"])
    assert [(1, 1, 0.0), (2, 2, 0.02), (3, 3, None), (4, 4, None)] == [
        (row["a"]["number"], row["b"]["number"], row["picture"]) for row in diff["steps"]
    ]
    assert (a, b, "finished", True) == (diff["a"]["id"], diff["b"]["id"], diff["b"]["end"], diff["b"]["success"])


async def test_the_first_difference_is_told_in_words(client: Client, drive: Drive) -> None:
    a, b = await run(drive, b"", b""), await run(drive, b"", output="12")
    c = await run(drive, b"", output="13")

    longer = await told(client, f"{a}/diff/{b}")
    other = await told(client, f"{b}/diff/{c}")

    assert (True, True) == (longer["differ"], other["differ"])
    assert "Step 2 of the first run (click) has nothing beside it in the second." == longer["first"]
    assert "The output was 12, and is 13." == other["first"]


async def test_an_act_that_failed_now_is_told_with_its_reason(client: Client, drive: Drive) -> None:
    first, again = await run(drive, b""), await drive.create()
    await drive.start(again)
    known = {"fence": 2, "step": 1, "index": 0}
    click = {"name": "click", "params": '{"click":{"target":{"text":"Buy"}}}', "effect": "lasting"}
    await drive.record(
        again,
        e.StepStarted(fence=2, number=1),
        msgspec.convert({**known, **click}, e.ActionStarted),
        msgspec.convert({**known, "ok": False, "error": "There is none."}, e.ActionEnded),
        e.StepTaken(fence=2, number=1),
    )
    await drive.fail(again, "differs", "There is none.")

    diff = await told(client, f"{first}/diff/{again}")

    assert "Step 1 failed now: There is none." == diff["first"]
    assert [{"what": "end", "a": "finished", "b": "failed", "act": None, "matters": True}] == diff["end"]


async def test_a_rerun_is_compared_with_what_it_runs_again(client: Client, drive: Drive) -> None:
    first = await run(drive, b"")
    again = await run(drive, b"", rerun_of=first, replay=e.Replay(task=first))

    diff = await told(client, f"{again}/rerun")
    alone = await client.get(f"/api/tape/tasks/{first}/rerun")

    assert (first, again, False) == (diff["a"]["id"], diff["b"]["id"], diff["differ"])
    assert (404, {"detail": "This task plays no other one again"}) == (alone.status, await alone.json())


async def test_a_task_of_another_project_or_a_redacted_one_is_compared_with_nothing(
    client: Client, drive: Drive
) -> None:
    mine, theirs, gone = await run(drive, b""), await run(drive, b"", project="other"), await run(drive, b"")
    await client.post(f"/api/tape/tasks/{gone}/redact", json={})

    statuses = [
        (await client.get(f"/api/tape/tasks/{a}/diff/{b}")).status
        for a, b in ((mine, theirs), (theirs, mine), (mine, gone), (mine, "nonsense"))
    ]

    assert [404, 404, 410, 404] == statuses


async def test_pictures_are_compared_within_bounds(drive: Drive) -> None:
    blobs: Blobs = drive.service.blobs
    one, other, wide = [await blobs.put(each) for each in (picture(), picture((3, 3)), picture(size=(20, 10)))]
    pairs = [(one, other), (one, wide), (one, "0" * 64), ("", ""), (one, one)]

    known = await likeness.shares(blobs, pairs)
    late = await likeness.shares(blobs, pairs, seconds=0)

    assert [0.01, 1.0, None, None, 0.0] == known
    assert [None, None, None, None, 0.0] == late
