"""What the log refuses, as words. HTTP numbers live in `api/errors.py` and nowhere else."""


class Refused(Exception):
    """The request was refused."""

    code = "refused"

    def __init__(self, message: str = "", *, field: tuple[str | int, ...] = ()) -> None:
        """`message` defaults to the class's docstring; `field` is the path of the offending input, outermost first."""
        super().__init__(message or (type(self).__doc__ or "").strip())
        self.field = field


class NotFound(Refused):
    """Task not found"""

    code = "not_found"


class NotAllowed(Refused):
    """That is not allowed in this state."""

    code = "not_allowed"


class SessionBusy(Refused):
    """Agent session already has a running task. Please wait for it to finish or stop it manually."""

    code = "session_busy"


class SessionStopped(Refused):
    """Browser session is stopped. Please start a new session and try again."""

    code = "session_stopped"


class Conflict(Refused):
    """Somebody else wrote to this stream first."""

    code = "conflict"


class Invalid(Refused):
    """The input is not valid."""

    code = "invalid"


class Fenced(Refused):
    """Another runner holds this task now."""

    code = "fenced"


class NoRoom(Refused):
    """There is no room for it."""

    code = "no_room"


class Gone(Refused):
    """It was removed."""

    code = "gone"


class Overloaded(Refused):
    """The log is busy; try again in a moment."""

    code = "overloaded"


class DiskFull(Refused):
    """The disk is full; nothing was written."""

    code = "disk_full"


class CannotOpen(Exception):
    """The tape cannot be opened. The message is a sentence for the person who starts the service."""


class InUse(CannotOpen):
    """Another process has the data directory; the message names it."""


class Broken(Exception):
    """The store failed in a way that it must not survive (for example an fsync error); the process should end."""

    def again(self) -> "Broken":
        """The same for another caller: an exception that is raised twice would carry both tracebacks."""
        return type(self)(str(self))


class Damaged(Broken):
    """What lies on the tape is not what was written there. Nothing is served any more; `verify` still works.

    `position` is the first that is known to be bad, or None where no event is.
    """

    def __init__(self, problem: str, position: int | None = None) -> None:
        where = "" if position is None else f" at position {position}"
        super().__init__(
            f"The tape is damaged{where}: {problem}. Nothing is served from it any more. Stop the service and put a"
            " backup in its place; `tapewright verify` tells how far it is whole."
        )
        self.problem = problem
        self.position = position

    def again(self) -> "Damaged":
        return Damaged(self.problem, self.position)
