"""What is lost of the blobs that a tape names; what it says was removed is not missed."""

from pathlib import Path

from eventstore import events as e
from eventstore.blobs import Blobs
from eventstore.evidence import with_blobs
from eventstore.memory import MemoryStore
from eventstore.store import Lost


async def test_missing_and_altered_blobs_are_listed_and_removed_ones_are_not_missed(tmp_path: Path) -> None:
    store, blobs = MemoryStore(), Blobs(tmp_path)
    good, missing, altered, removed, redacted = [await blobs.put(bytes([n])) for n in range(5)]

    async def step(stream: str, version: int, blob: str) -> None:
        await store.append(stream, version, [e.StepTaken(fence=1, number=1, screenshot=blob)], actor="test")

    for version, blob in enumerate((good, missing, altered, removed)):
        await step("task-a", version, blob)
    await step("task-b", 0, redacted)
    await store.append("task-a", 4, [e.BlobsRemoved(kind="screenshots", blobs=(removed,))], actor="test")
    await store.append("task-b", 1, [e.TaskRedacted(project="p", request_digest="d", events=1)], actor="test")
    for blob in (missing, removed, redacted):
        blobs.path(blob).unlink()
    blobs.path(altered).write_bytes(b"other")

    verdict = await with_blobs(await store.verify(), store, blobs)

    lost = (
        Lost(blob=missing, stream="task-a", problem="missing"),
        Lost(blob=altered, stream="task-a", problem="altered"),
    )
    assert (False, None, 3, lost) == (verdict.ok, verdict.problem, verdict.blobs, verdict.lost)


async def test_a_tape_whose_blobs_are_there_stays_good(tmp_path: Path) -> None:
    store, blobs = MemoryStore(), Blobs(tmp_path)
    for task_id in ("a", "b"):
        taken = e.StepTaken(fence=1, number=1, screenshot=await blobs.put(b"same"))
        await store.append(f"task-{task_id}", 0, [taken], actor="test")

    verdict = await with_blobs(await store.verify(), store, blobs)

    assert (True, 1, ()) == (verdict.ok, verdict.blobs, verdict.lost)
