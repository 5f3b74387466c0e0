"""Which tasks have a live browser in this process: where people are let in, for as long as the session lasts."""

from collections.abc import Iterator
from contextlib import contextmanager

from runner.human import Human

STREAM = "task-"


class Door:
    """By the ids of the tasks."""

    def __init__(self) -> None:
        self._inside: dict[str, Human] = {}

    def acting(self, task_id: str) -> Human | None:
        """The hands of people in the task's browser, if it has one here now."""
        return self._inside.get(task_id)

    @contextmanager
    def open(self, stream: str, human: Human) -> Iterator[None]:
        """Let people in while inside."""
        task_id = stream.removeprefix(STREAM)
        self._inside[task_id] = human
        try:
            yield
        finally:
            if self._inside.get(task_id) is human:
                del self._inside[task_id]
