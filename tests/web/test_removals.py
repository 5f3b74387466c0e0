"""Redaction and pruning over HTTP, on a tape in a file: what goes, who may, what stays, also after a crash."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest

from api import control, retention
from api.app import create_app
from api.service import Service
from eventstore import events as e
from eventstore import retention as decisions
from eventstore.clock import microseconds
from eventstore.retention import DAY
from eventstore.secrets import vault_name
from eventstore.sqlite import open_sqlite
from eventstore.store import EventStore
from projections.projector import open_projector
from tests.web.conftest import KEY, Client, Drive, MakeClient

OTHER = b"\x89PNG canary-of-the-other-picture"
CANARY = re.compile(rb"canary-of-(?:[A-E]|the-other-picture)")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EventStore]:
    async with open_sqlite(tmp_path / "tape.db") as store:
        yield store


async def told(client: Client, path: str, **body: object) -> tuple[int, object]:
    response = await client.post(path, json=body)
    return response.status, await response.json()


async def finished(drive: Drive, name: str = "A", project: str = "default") -> str:
    """A task that has finished, with its name in all that it said, kept and showed."""
    canary = f"canary-of-{name}"
    task_id = await drive.create(instruction=canary, session=canary, metadata={"m": canary}, project=project)
    await drive.start(task_id)
    await drive.step(task_id, screenshot=b"\x89PNG " + canary.encode(), title=canary, memory=canary * 50)
    created = (await drive.service.tasks.load(control.stream(task_id))).created
    assert created is not None
    await drive.service.vault.put(f"browser/{created.session}", b"cookies")
    await drive.service.vault.put(vault_name(control.stream(task_id), created), b"secrets")
    await drive.finish(task_id, canary)
    return task_id


def canaries(directory: Path) -> set[str]:
    """What any file below the directory still has of them."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {match.decode() for path in files for match in CANARY.findall(path.read_bytes())}


Aged: TypeAlias = Callable[..., Awaitable[tuple[Service, Client]]]


@pytest.fixture
def aged(service: Service, aiohttp_client: MakeClient) -> Aged:
    """The same service with other settings, in days: a moment can be too old."""

    async def make(tasks: float = 0, screenshots: float = 0) -> tuple[Service, Client]:
        changed = msgspec.structs.replace(
            service.settings,
            keep_tasks_days=tasks,
            keep_screenshots_days=screenshots,
            keep_files_days=0,
            keep_recordings_days=0,
        )
        other = replace(service, settings=changed)
        return other, await aiohttp_client(create_app(other), headers={"Authorization": f"Bearer {KEY}"})

    return make


# --- redact -----------------------------------------------------------------------------------------------------


async def test_no_byte_of_a_redacted_task_is_in_any_file_and_all_of_another_is(
    service: Service, client: Client, drive: Drive, tmp_path: Path
) -> None:
    redacted, other = await finished(drive, "A"), await finished(drive, "B")
    vault = len(list((tmp_path / "vault").iterdir()))

    answer = await told(client, f"/api/tape/tasks/{redacted}/redact", reason="she asked for it")

    verdict = await service.store.verify()
    assert (200, {"events": 8, "blobs": 1, "reason": "she asked for it"}) == answer
    assert {"canary-of-B"} == canaries(tmp_path)
    assert 2 == vault - len(list((tmp_path / "vault").iterdir()))
    assert (True, 8) == (verdict.ok, verdict.redacted)
    assert 200 == (await client.get(f"/api/tape/tasks/{other}/screenshots/1.png")).status


async def test_nothing_of_a_redacted_task_stays_with_its_session(client: Client, drive: Drive, tmp_path: Path) -> None:
    canary = "canary-of-A"
    body = {"task": "Open it.", "startUrl": f"http://shop.test/{canary}", "judgeGroundTruth": canary}
    task = await (await client.post("/api/v2/tasks", json=body)).json()
    await client.post(f"/api/v2/sessions/{task['sessionId']}/public-share")
    await drive.start(task["id"])
    await drive.finish(task["id"], canary)

    await told(client, f"/api/tape/tasks/{task['id']}/redact")

    assert set() == canaries(tmp_path)


async def test_a_redacted_task_is_shown_by_every_family_without_its_texts(client: Client, drive: Drive) -> None:
    task_id = await finished(drive)
    await told(client, f"/api/tape/tasks/{task_id}/redact")

    paths = {
        name: f"/api/{path}"
        for name, path in {
            "v1": f"v1/task/{task_id}",
            "status": f"v1/task/{task_id}/status",
            "list": "v1/tasks",
            "pictures": f"v1/task/{task_id}/screenshots",
            "v2": f"v2/tasks/{task_id}",
            "v2 status": f"v2/tasks/{task_id}/status",
            "v2 list": "v2/tasks",
            "tape": f"tape/tasks/{task_id}",
            "then": f"tape/tasks/{task_id}?at=3",
            "events": f"tape/tasks/{task_id}/events",
        }.items()
    }
    answers = {name: await client.get(path) for name, path in paths.items()}
    bodies = {name: await answer.json() for name, answer in answers.items()}

    assert dict.fromkeys(paths, 200) == {name: answer.status for name, answer in answers.items()}
    assert not CANARY.findall(b"".join([await answer.read() for answer in answers.values()]))
    assert ("finished", "finished", []) == (bodies["status"], bodies["v1"]["status"], bodies["pictures"]["screenshots"])
    assert ("", None, 1) == (bodies["v2"]["task"], bodies["v2"]["output"], len(bodies["v2"]["steps"]))
    assert (True, "finished", 1) == (bodies["tape"]["redacted"], bodies["tape"]["state"], len(bodies["tape"]["steps"]))
    assert [True] * 8 + [None] == [event.get("redacted") for event in bodies["events"]["events"]]
    assert None is bodies["events"]["events"][0]["data"]


async def test_a_picture_of_a_redacted_task_is_gone(client: Client, drive: Drive) -> None:
    task_id = await finished(drive)
    await told(client, f"/api/tape/tasks/{task_id}/redact", reason="she asked for it")

    response = await client.get(f"/api/tape/tasks/{task_id}/screenshots/1.png")

    assert (410, {"detail": "The task was redacted: she asked for it."}) == (response.status, await response.json())


async def test_the_same_key_still_means_the_redacted_task(client: Client) -> None:
    key, body = {"Idempotency-Key": "k"}, {"task": "Open the shop."}
    created = await (await client.post("/api/v1/run-task", json=body, headers=key)).json()
    await client.put("/api/v1/stop-task", params={"task_id": created["id"]})
    await told(client, f"/api/tape/tasks/{created['id']}/redact")

    again = await client.post("/api/v1/run-task", json=body, headers=key)
    v2 = await client.post("/api/v2/tasks", json={"task": "Open the shop."}, headers=key)
    other = await client.post("/api/v1/run-task", json={"task": "Open another."}, headers=key)

    assert (200, created, "true") == (again.status, await again.json(), again.headers["Idempotency-Replayed"])
    assert [422, 422] == [v2.status, other.status]


async def test_only_what_has_ended_can_be_redacted_and_only_ones_own(client: Client, drive: Drive) -> None:
    running, foreign = await drive.create(), await finished(drive, "B", project="other")
    await drive.start(running)

    answers = [await told(client, f"/api/tape/tasks/{task_id}/redact") for task_id in (running, foreign, "none")]

    assert [
        (409, {"detail": "Running tasks cannot be redacted: stop the task first."}),
        (404, {"detail": "Task not found"}),
        (404, {"detail": "Task not found"}),
    ] == answers


async def test_redacting_twice_is_redacting_once(service: Service, client: Client, drive: Drive) -> None:
    task_id = await finished(drive)

    first = await told(client, f"/api/tape/tasks/{task_id}/redact", reason="one")
    head = service.store.head
    second = await told(client, f"/api/tape/tasks/{task_id}/redact", reason="two")

    assert first == second
    assert head == service.store.head


async def test_a_picture_that_two_tasks_name_goes_with_the_last(service: Service, client: Client, drive: Drive) -> None:
    ids = [await drive.create() for _ in range(2)]
    for task_id in ids:
        await drive.start(task_id)
        await drive.step(task_id, screenshot=OTHER)
    for task_id in ids:
        await drive.finish(task_id)

    kept = []
    for task_id in ids:
        await told(client, f"/api/tape/tasks/{task_id}/redact")
        kept.append(canaries(service.settings.data_dir / "blobs"))

    assert [{"canary-of-the-other-picture"}, set()] == kept


async def test_a_follower_of_a_redacted_task_is_told_its_events_and_the_end(client: Client, drive: Drive) -> None:
    task_id = await finished(drive)
    await told(client, f"/api/tape/tasks/{task_id}/redact")

    stream = await client.get(f"/api/tape/tasks/{task_id}/events", headers={"Accept": "text/event-stream"})
    text = await stream.text()

    assert 9 == text.count("\nid: ")
    assert "event: task.redacted" in text.splitlines()[-3]


@pytest.mark.parametrize("done", ["nothing", "blobs", "vault", "payloads"])
async def test_what_a_crash_cut_off_is_finished_by_the_next_start(
    service: Service, drive: Drive, tmp_path: Path, done: str
) -> None:
    """As if killed after the event, and after each step that follows it."""
    task_id = await finished(drive)
    stream = control.stream(task_id)
    created = (await service.tasks.load(stream)).created
    assert created is not None
    decided = await service.tasks.transact(stream, partial(decisions.redact, blobs=1), actor="system")
    redacted = decided.state.redacted
    assert redacted is not None
    if done != "nothing":
        for path in (tmp_path / "blobs").rglob("*"):
            path.unlink() if path.is_file() else None
    if done in ("vault", "payloads"):
        await service.vault.delete(f"browser/{created.session}")
    if done == "payloads":
        await service.vault.delete(vault_name(stream, created))
        await service.store.redact(stream, redacted.events)

    finished_now = await retention.finish(service)

    assert (done != "payloads") == finished_now
    assert set() == canaries(tmp_path)
    assert {"vault.key", "vault.check"} == {path.name for path in (tmp_path / "vault").iterdir()}
    assert (await service.store.verify()).ok
    assert 0 == await retention.finish(service)


async def test_the_views_file_that_a_killed_process_left_forgets_as_well(
    service: Service, drive: Drive, tmp_path: Path
) -> None:
    async with open_projector(service.store, tmp_path / "views") as projector:
        task_id = await finished(drive)
        while await projector.advance():
            pass
        await projector.flush()
    await retention.redact(service, task_id, reason="", actor="system")

    before = canaries(tmp_path / "views")
    async with open_projector(service.store, tmp_path / "views") as projector:
        while await projector.advance():
            pass
        await projector.purge()

    assert ({"canary-of-A"}, set()) == (before, canaries(tmp_path))


# --- prune ------------------------------------------------------------------------------------------------------


async def test_a_dry_run_says_what_would_go_and_changes_nothing(aged: Aged, drive: Drive, tmp_path: Path) -> None:
    await finished(drive, "A")
    await finished(drive, "B")
    service, client = await aged(tasks=1e-9, screenshots=2e-9)
    head = service.store.head

    status, answer = await told(client, "/api/tape/prune", dry_run=True)

    assert 200 == status
    assert isinstance(answer, dict)
    ends = [
        (datetime.fromisoformat(each.pop("oldest")), datetime.fromisoformat(each.pop("newest")))
        for each in answer["classes"]
        if each["tasks"]
    ]
    answer["classes"] = [each for each in answer["classes"] if each["tasks"]]
    assert all(oldest < newest for oldest, newest in ends)
    assert {
        "dry_run": True,
        "classes": [
            {"kind": "screenshots", "reason": "older than 2e-09 days", "tasks": 2, "blobs": 2, "bytes": 32},
            {"kind": "tasks", "reason": "older than 1e-09 days", "tasks": 2, "blobs": 2, "bytes": 32},
        ],
    } == answer
    assert head == service.store.head
    assert {"canary-of-A", "canary-of-B"} == canaries(tmp_path)


async def test_old_pictures_go_with_their_reason_and_the_task_stays(aged: Aged, drive: Drive, tmp_path: Path) -> None:
    task_id = await finished(drive)
    running = await drive.create()
    await drive.start(running)
    await drive.step(running, screenshot=OTHER)
    _, client = await aged(screenshots=1e-9)

    _, answer = await told(client, "/api/tape/prune")
    picture = await client.get(f"/api/tape/tasks/{task_id}/screenshots/1.png")
    task = await (await client.get(f"/api/v2/tasks/{task_id}")).json()

    assert isinstance(answer, dict)
    assert [
        ("screenshots", 1, 1),
        *((kind, 0, 0) for kind in ("files", "recordings", "uploads", "tasks")),
    ] == [(c["kind"], c["tasks"], c["blobs"]) for c in answer["classes"]]
    assert {"canary-of-the-other-picture"} == canaries(tmp_path / "blobs")
    sentence = "The screenshot was removed: older than 1e-09 days."
    assert (410, {"detail": sentence}) == (picture.status, await picture.json())
    assert (None, "canary-of-A") == (task["steps"][0]["screenshotUrl"], task["output"])
    recorded = (await drive.tape(task_id))[-1]
    assert ("task.blobs_removed", "key:env") == (recorded.type, recorded.actor)


async def test_old_tasks_are_redacted_and_younger_ones_stay(aged: Aged, drive: Drive) -> None:
    old = await finished(drive, "A")
    service, _ = await aged(tasks=3)

    gone = await retention.prune(service, microseconds() + 3 * DAY, actor="system")
    young = await finished(drive, "B")
    again = await retention.prune(service, microseconds() + 2 * DAY, actor="system")

    assert ([0, 0, 0, 0, 1], [0] * 5) == ([each.tasks for each in gone], [each.tasks for each in again])
    row, other = await service.projector.tasks.find(old), await service.projector.tasks.find(young)
    assert row is not None
    assert other is not None
    assert (True, "older than 3 days", False) == (row.redacted, row.redaction, other.redacted)


async def test_kept_for_ever_means_that_nothing_goes(aged: Aged, drive: Drive) -> None:
    await finished(drive)
    service, client = await aged()
    head = service.store.head

    _, answer = await told(client, "/api/tape/prune")

    assert isinstance(answer, dict)
    assert [0] * 5 == [each["tasks"] for each in answer["classes"]]
    assert head == service.store.head


async def test_more_than_a_turn_goes_in_turns(aged: Aged, drive: Drive) -> None:
    for name in "ABCDE":
        await finished(drive, name)
    service, _ = await aged(tasks=1e-9)

    one = await retention.prune(service, microseconds(), actor="system", size=2, turns=1)
    rest = await retention.prune(service, microseconds(), actor="system", size=2)

    assert ([2], [3]) == ([each.tasks for each in one if each.tasks], [each.tasks for each in rest if each.tasks])


# --- what nobody names ------------------------------------------------------------------------------------------


async def test_blobs_that_nobody_names_go_after_a_day_and_no_others(
    service: Service, drive: Drive, tmp_path: Path
) -> None:
    await finished(drive)
    orphan = await service.blobs.put(OTHER)
    now = microseconds()

    early = sum([await retention.sweep(service, part, now) for part in range(256)])
    late = sum([await retention.sweep(service, part, now + DAY + 1) for part in range(256)])

    assert (0, 1) == (early, late)
    assert None is await service.blobs.get(orphan)
    assert {"canary-of-A"} == canaries(tmp_path / "blobs")


async def test_the_vault_keeps_what_live_tasks_need_and_what_is_young(service: Service, drive: Drive) -> None:
    await finished(drive)
    live = await drive.create(session="s-live")
    for name in ("browser/s-live", "browser/s-nobody"):
        await service.vault.put(name, b"cookies")
    now = microseconds()

    early, late = await retention.sweep_vault(service, now), await retention.sweep_vault(service, now + DAY + 1)

    assert (0, 3) == (early, late)
    assert (b"cookies", None) == (
        await service.vault.get("browser/s-live"),
        await service.vault.get("browser/s-nobody"),
    )
    assert live


# --- damage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bytes_", "sentence"),
    [
        (b"\x89PNG another", "The screenshot is damaged: it is not the one that was taken."),
        (None, "The screenshot is missing: it is no longer on the disk."),
    ],
    ids=["altered", "missing"],
)
async def test_a_picture_that_is_not_there_as_it_was_is_not_served(
    client: Client, drive: Drive, tmp_path: Path, bytes_: bytes | None, sentence: str
) -> None:
    task_id = await finished(drive)
    (path,) = (path for path in (tmp_path / "blobs").rglob("*") if path.is_file())

    path.unlink() if bytes_ is None else path.write_bytes(bytes_)
    response = await client.get(f"/api/tape/tasks/{task_id}/screenshots/1.png")

    assert (410, {"detail": sentence}) == (response.status, await response.json())


def test_every_event_of_a_task_that_can_name_a_blob_is_known_here() -> None:
    """A new field of this kind needs a line in `naming.named`."""
    fields = {
        (kind.__name__, field)
        for kind in e.TaskEvent.__args__
        for field in kind.__struct_fields__
        if field in ("screenshot", "blob", "blobs", "digest", "recording", "file", "uploads")
    }

    assert {
        ("StepTaken", "screenshot"),
        ("TaskCreated", "uploads"),
        ("FileProduced", "file"),
        ("RecordingSaved", "file"),
        ("BlobsRemoved", "blobs"),
        ("TaskRedacted", "blobs"),
    } == fields


async def test_removing_needs_the_admin_scope_and_pruning_an_operator(
    service: Service, client: Client, aiohttp_client: MakeClient, drive: Drive
) -> None:
    mine, foreign = await finished(drive, "A"), await finished(drive, "B", project="other")
    answers = []
    for number, (project, scopes) in enumerate(
        [("default", ("read", "control")), ("other", ("read", "control", "admin"))]
    ):
        key = f"a-key-of-this-test-{number}"
        created = e.KeyCreated(digest=sha256(key.encode()).hexdigest(), project=project, scopes=scopes)
        (recorded,) = await service.store.append(f"key-{number}", 0, [created], actor="system")
        await service.projector.reached(recorded.position)
        caller = await aiohttp_client(client.app, headers={"Authorization": f"Bearer {key}"})
        answers.append(
            [
                (await told(caller, path))[0]
                for path in ("/api/tape/prune", f"/api/tape/tasks/{mine}/redact", f"/api/tape/tasks/{foreign}/redact")
            ]
        )

    assert [[403, 403, 403], [403, 404, 200]] == answers
