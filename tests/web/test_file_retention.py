"""What becomes of files: by age, with the task that had them, and in what `verify` asks for."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from api import control, retention
from api.service import Service
from eventstore import events as e
from eventstore.clock import microseconds
from eventstore.evidence import lost
from eventstore.retention import DAY
from eventstore.sqlite import open_sqlite
from eventstore.store import EventStore
from projections.projector import open_projector
from tests.web.conftest import Client, Drive
from tests.web.test_v1_files import left, local, produced, uploaded
from tests.web.test_v2_files import begun, presigned, sent


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EventStore]:
    async with open_sqlite(tmp_path / "tape.db") as store:
        yield store


def bytes_left(service: Service) -> set[bytes]:
    return {path.read_bytes() for path in left(service)}


def keeping(service: Service, *, files: float = 0, recordings: float = 0) -> Service:
    """The same service, with days for files and for videos alone."""
    days = {"keep_screenshots_days": 0, "keep_tasks_days": 0}
    settings = msgspec.structs.replace(service.settings, keep_files_days=files, keep_recordings_days=recordings, **days)
    return replace(service, settings=settings)


async def given(client: Client, *names: str) -> str:
    """A task that names these files, and was stopped before it began."""
    response = await client.post("/api/v1/run-task", json={"task": "Open.", "included_file_names": list(names)})
    task_id = str((await response.json())["id"])
    await client.put("/api/v1/stop-task", params={"task_id": task_id})
    return task_id


async def redact(client: Client, task_id: str) -> object:
    response = await client.post(f"/api/tape/tasks/{task_id}/redact", json={"reason": "asked for"})
    return await response.json()


async def names(service: Service, stream: str = "files-default") -> list[str]:
    return [each.file.name for each in await service.projector.session_files.of(stream)]


async def test_files_go_by_age_and_videos_too_and_their_links_say_why(
    service: Service, client: Client, anonymous: Client, drive: Drive
) -> None:
    task_id = await produced(drive, "a.csv", b"A")
    path = f"/api/v1/task/{task_id}"
    link = local((await (await client.get(f"{path}/output-file/a.csv")).json())["download_url"])
    (video,) = (await (await client.get(f"{path}/media")).json())["recordings"]
    later = microseconds() + 3 * DAY

    await retention.prune(keeping(service, files=2), later, actor="system")
    first = [(await anonymous.get(each)).status for each in (link, local(video))]
    await retention.prune(keeping(service, recordings=2), later, actor="system")
    answers = [await (await anonymous.get(each)).json() for each in (link, local(video))]

    assert ([410, 200], set()) == (first, bytes_left(service))
    assert [
        {"detail": "The file was removed: older than 2 days."},
        {"detail": "The recording was removed: older than 2 days."},
    ] == answers
    assert ["a.csv"] == (await (await client.get(path)).json())["output_files"]


async def test_an_upload_goes_by_age_once_no_task_names_it(
    service: Service, client: Client, anonymous: Client, drive: Drive
) -> None:
    await uploaded(client, anonymous, "named.csv", b"named")
    await uploaded(client, anonymous, "idle.csv", b"idle")
    await given(client, "named.csv")
    await drive.create()
    response = await client.post("/api/v1/run-task", json={"task": "Open.", "included_file_names": ["named.csv"]})
    live = str((await response.json())["id"])
    aging = keeping(service, files=2)

    await retention.prune(aging, microseconds() + 3 * DAY, actor="system")
    first = await names(service), bytes_left(service)
    await client.put("/api/v1/stop-task", params={"task_id": live})
    gone = await retention.prune(aging, microseconds() + 3 * DAY, actor="system")

    assert (["named.csv"], {b"named"}) == first
    assert ([], set()) == (await names(service), bytes_left(service))
    assert [("files", 1, 0), ("uploads", 1, 1)] == [(each.kind, each.tasks, each.blobs) for each in gone if each.tasks]
    again = await client.post("/api/v1/run-task", json={"task": "Open.", "included_file_names": ["named.csv"]})
    assert (422, 0) == (again.status, service.projector.uploads.bytes["default"])


async def test_redaction_takes_files_and_the_uploads_that_no_other_task_names(
    service: Service, client: Client, anonymous: Client, drive: Drive
) -> None:
    task_id = await produced(drive, "out.csv", b"out")
    for name, data in (("mine.csv", b"mine"), ("shared.csv", b"shared"), ("idle.csv", b"idle")):
        await uploaded(client, anonymous, name, data)
    first = await given(client, "mine.csv", "shared.csv")
    await given(client, "shared.csv")

    await redact(client, task_id)
    told = await redact(client, first)

    assert ({b"shared", b"idle"}, ["shared.csv", "idle.csv"]) == (bytes_left(service), await names(service))
    assert isinstance(told, dict)
    assert 2 == told["blobs"]
    assert b"mine.csv" not in b"".join(
        path.read_bytes() for path in (service.settings.data_dir / "blobs").rglob("*") if path.is_file()
    )


async def test_the_files_of_a_session_go_with_the_redaction_of_its_task(
    service: Service, client: Client, anonymous: Client
) -> None:
    session = await begun(client)
    await sent(anonymous, await presigned(client, session), b"%PDF")
    body = {"task": "Open the shop.", "sessionId": session}
    task_id = (await (await client.post("/api/v2/tasks", json=body)).json())["id"]
    await client.patch(f"/api/v2/tasks/{task_id}", json={"action": "stop"})

    await redact(client, task_id)

    assert ([], set()) == (await names(service, f"session-{session}"), bytes_left(service))


async def test_verify_asks_for_every_file_that_is_still_named(
    service: Service, client: Client, anonymous: Client, drive: Drive
) -> None:
    await uploaded(client, anonymous, "a.csv", b"first")
    await uploaded(client, anonymous, "a.csv", b"newer")
    task_id = await produced(drive, "b.csv", b"B")
    for path in left(service):
        path.unlink()

    looked, missing = await lost(service.store, service.blobs)
    await retention.prune(keeping(service, files=1, recordings=1), microseconds() + 2 * DAY, actor="system")
    after = await lost(service.store, service.blobs)

    assert (3, {f"task-{task_id}", "files-default"}) == (looked, {each.stream for each in missing})
    assert (0, ()) == after


async def test_rebuilt_views_know_the_same_files(
    service: Service, client: Client, anonymous: Client, drive: Drive, tmp_path: Path
) -> None:
    task_id = await produced(drive, "b.csv", b"B")
    await uploaded(client, anonymous, "a.csv", b"first")
    await uploaded(client, anonymous, "a.csv", b"newer")
    await uploaded(client, anonymous, "c.csv", b"C")
    await given(client, "c.csv")
    blobs = [path.name for path in left(service)]

    async with open_projector(service.store, tmp_path / "again") as rebuilt:
        while await rebuilt.advance():
            pass
        row = await rebuilt.tasks.find(task_id)
        named = await rebuilt.references.named(blobs)

    live = await service.projector.tasks.find(task_id)
    assert live is not None
    assert row is not None
    assert (live.produced, live.recordings, live.files) == (row.produced, row.recordings, row.files)
    assert await service.projector.references.named(blobs) == named
    assert 5 + 1 == rebuilt.uploads.bytes["default"] == service.projector.uploads.bytes["default"]


async def test_a_crash_between_the_word_and_the_deed_of_a_redaction_is_made_good(
    service: Service, client: Client, anonymous: Client
) -> None:
    await uploaded(client, anonymous, "mine.csv", b"mine")
    task_id = await given(client, "mine.csv")
    state = await service.tasks.load(control.stream(task_id))
    assert state.created is not None
    said = e.TaskRedacted(project="default", request_digest=state.created.request_digest, events=state.version, blobs=1)
    (recorded,) = await service.store.append(control.stream(task_id), state.version, [said], actor="system")
    await service.projector.reached(recorded.position)

    finished = await retention.finish(service)

    assert (1, [], set()) == (finished, await names(service), bytes_left(service))


async def test_what_a_schedule_is_given_stays_until_it_is_deleted(
    service: Service, client: Client, anonymous: Client
) -> None:
    await uploaded(client, anonymous, "daily.csv", b"daily")
    body = {
        "task": "Open.",
        "schedule_type": "interval",
        "interval_minutes": 60,
        "included_file_names": ["daily.csv"],
    }
    response = await client.post("/api/v1/scheduled-task", json=body)
    schedule = str((await response.json())["id"])
    aging = keeping(service, files=2)

    await retention.prune(aging, microseconds() + 3 * DAY, actor="system")
    kept = await names(service), bytes_left(service), (await lost(service.store, service.blobs))[0]
    await client.delete(f"/api/v1/scheduled-task/{schedule}")
    await retention.prune(aging, microseconds() + 3 * DAY, actor="system")

    assert (["daily.csv"], {b"daily"}, 1) == kept
    assert ([], set()) == (await names(service), bytes_left(service))
