"""Which tasks a list is of: the same condition in SQL, for the file, and in Python, for what the file lacks. Pure."""

from collections.abc import Collection

import msgspec

from eventstore.machine import State
from projections.shelf import Value
from projections.task_row import TaskRow


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks of one project; None is no condition. Times: from `created_after` on, before `created_before`."""

    project: str
    states: Collection[State] | None = None
    session: str | None = None
    created_after: int | None = None
    created_before: int | None = None

    @property
    def whole(self) -> bool:
        """Whether only the state matters, so that it is known how many there are."""
        return self.session is None and self.created_after is None and self.created_before is None

    def condition(self) -> tuple[str, list[Value]]:
        """A WHERE clause and its values."""
        bounds: dict[str, Value] = {
            "project = ?": self.project,
            "session = ?": self.session,
            "created_at >= ?": self.created_after,
            "created_at < ?": self.created_before,
        }
        given = {clause: value for clause, value in bounds.items() if value is not None}
        clauses: list[str] = list(given)
        values: list[Value] = list(given.values())
        if self.states is not None:
            clauses.append(f"state IN ({', '.join('?' * len(self.states))})")
            values += self.states
        return " AND ".join(clauses), values

    def has(self, row: TaskRow) -> bool:
        """Whether the row is one of them."""
        return (
            row.shown_in == self.project
            and (self.states is None or row.state in self.states)
            and (self.session is None or row.session == self.session)
            and (self.created_after is None or row.created_at >= self.created_after)
            and (self.created_before is None or row.created_at < self.created_before)
        )
