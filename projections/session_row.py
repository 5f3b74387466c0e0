"""A session as people see it, and what of it is kept as one text. Pure."""

import msgspec

from eventstore import events as e


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is said once, and what no list is filtered by."""

    family: str = ""
    keep_alive: bool = False
    start_url: str = ""
    seconds: float = 0.0
    options: e.Options = e.Options()


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session as people see it. Times are microseconds since 1970 UTC, None for what has not happened.

    `task` is the one that implies it, empty for one that was created (`explicit`) and where that task was redacted.
    `opened` names the runner that has a browser for it. `cause` is why it stopped before its task did, `share` the id
    of its share, empty without one; `views` are those of this share. Of one that was `purged` there are the project and
    the times.
    """

    id: str
    project: str
    kind: str
    explicit: bool
    task: str
    started_at: int
    stopped_at: int | None
    cause: str
    opened: str
    deleted: bool
    purged: bool
    share: str
    views: int
    viewed_at: int | None
    family: str
    keep_alive: bool
    start_url: str
    seconds: float
    options: e.Options

    @property
    def active(self) -> bool:
        """Whether it has not stopped."""
        return self.stopped_at is None

    def adoption(self) -> e.SessionCreated:
        """What the stream of an implied one begins with, once something is said of it."""
        return e.SessionCreated(
            project=self.project,
            family=self.family,
            kind=self.kind,
            explicit=False,
            keep_alive=self.keep_alive,
            start_url=self.start_url,
            seconds=self.seconds,
            options=self.options,
        )
