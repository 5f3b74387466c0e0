"""A task as it stood: the folds of the views, over its own stream, up to a position or a moment."""

from eventstore.codec import kind_of
from eventstore.store import PAGE, EventStore
from projections import step_row, task_row
from projections.step_row import ENDINGS, StepRow, visible
from projections.task_row import STREAM, TaskRow


async def task_at(
    store: EventStore, task_id: str, *, position: int | None = None, at: int | None = None
) -> tuple[TaskRow, list[StepRow]] | None:
    """The row and the steps after the last event up to `position`, and not later than `at` (microseconds since 1970).

    Without either: as it stands. None when the task did not exist then.
    """
    row: TaskRow | None = None
    steps: list[StepRow] = []
    ended = False
    version = 0
    while page := await store.read_stream(STREAM + task_id, version):
        for recorded in page:
            if (position is not None and recorded.position > position) or (at is not None and recorded.at > at):
                return (row, visible(steps)) if row else None
            row = task_row.apply(row, recorded)
            ended = ended or kind_of(recorded.event) in ENDINGS
            if ended:
                step_row.after_the_end(steps, recorded.event)
            elif row is not None:
                step_row.apply(steps, recorded)
        version = page[-1].version
        if len(page) < PAGE:
            break
    return (row, visible(steps)) if row else None
