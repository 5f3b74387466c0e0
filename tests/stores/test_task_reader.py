"""A follower of one task reads on from where it was told, however little it took of what was read for it."""

from collections.abc import Sequence

from api.scope import TaskReader
from eventstore.memory import MemoryStore
from eventstore.store import PAGE, Recorded
from tests.histories import CREATED
from tests.viewing import FINISHED, write

STREAM = "task-t"


class Counting(MemoryStore):
    """Notes from where on a stream is read."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    async def read_stream(self, stream: str, after: int = 0, *, limit: int = PAGE) -> Sequence[Recorded]:
        self.asked.append(after)
        return await super().read_stream(stream, after, limit=limit)


async def test_a_follower_that_is_told_a_part_of_what_was_read_reads_on_behind_that_part() -> None:
    store = Counting()
    await write(store, "other", [CREATED])
    await write(store, "t", FINISHED)
    reader, told, after = TaskReader(store, STREAM), [], 0
    store.asked.clear()

    while not (part := await reader(after, 3)).last or part.events:
        told.append(part.events[0].version)
        after = part.events[0].position

    assert list(range(1, len(FINISHED) + 1)) == told
    assert list(range(len(FINISHED))) == store.asked


async def test_a_follower_that_asks_again_for_what_it_was_told_before_is_told_it_again() -> None:
    store = MemoryStore()
    await write(store, "t", FINISHED)
    reader = TaskReader(store, STREAM)
    first = await reader(0, 2)
    await reader(2, 2)

    assert first == await reader(0, 2)
