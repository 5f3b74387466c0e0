"""A session: a browser that tasks share, its files, and who may look at it. Pure.

One that was made for a task has no stream until something is said of it: the decisions take the `adopted`
SessionCreated with which its stream begins then. One without a stream and without `adopted` does not exist.
"""

from collections.abc import Iterable
from functools import reduce

import msgspec

from eventstore import events as e
from eventstore.errors import Conflict, Invalid, NotAllowed, NotFound, SessionStopped

MAX_FILES = 1_000
"""So many files a session may have of each sort; what is in memory of it is bounded so."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision needs to know.

    `version` counts the events folded. `opened` is the browser that a runner has for it, None without one; `stopped` is
    the cause of its end, empty while it is active; `share` is the id of the share that opens it, empty without one;
    `visited` tells that it has had a browser.
    `uploads` and `downloads` are its files by id, the oldest first; `purged` is why nothing else is known.
    """

    version: int = 0
    created: e.SessionCreated | None = None
    opened: e.SessionOpened | None = None
    stopped: str = ""
    deleted: bool = False
    purged: e.SessionPurged | None = None
    share: str = ""
    visited: bool = False
    uploads: dict[str, e.File] = {}
    downloads: dict[str, e.File] = {}

    @property
    def active(self) -> bool:
        """Whether anything can run in it."""
        return self.created is not None and not self.stopped and not self.deleted and self.purged is None


def evolve(session: Session, event: e.Event) -> Session:
    """The state after one more event."""
    changes: dict[str, object] = {"version": session.version + 1}
    match event:
        case e.SessionCreated():
            changes["created"] = session.created or event
        case e.SessionOpened():
            changes |= {"opened": event, "visited": True}
        case e.SessionClosed():
            changes["opened"] = None
        case e.SessionStopped(cause=cause):
            changes["stopped"] = session.stopped or cause or "stop"
        case e.SessionDeleted():
            changes["deleted"] = True
        case e.SessionPurged():
            changes |= {"purged": event, "stopped": session.stopped or "purge"}
            changes |= {"created": None, "share": "", "uploads": {}, "downloads": {}}
        case e.SessionShared(share=share):
            changes["share"] = share
        case e.SessionUnshared(share=share) if share == session.share:
            changes["share"] = ""
        case e.FileUploaded(file=file):
            changes["uploads"] = _put(session.uploads, file)
        case e.FileDownloaded(file=file):
            changes["downloads"] = _put(session.downloads, file)
        case e.FilesRemoved(files=gone):
            changes |= {"uploads": _without(session.uploads, gone), "downloads": _without(session.downloads, gone)}
    return msgspec.structs.replace(session, **changes)


def fold(events: Iterable[e.Event], session: Session | None = None) -> Session:
    """The state after all the events, from nothing or from an earlier state."""
    return reduce(evolve, events, session or Session())


# --- what people ask for ----------------------------------------------------------------------------------------


def create(session: Session, *, created: e.SessionCreated) -> list[e.SessionEvent]:
    """Begin. The same again is one session; another one in its place is refused."""
    if session.version == 0:
        return [created]
    known = session.created
    if known == created or (known and created.request_digest and known.request_digest == created.request_digest):
        return []
    if created.request_digest:
        raise Invalid(
            "This Idempotency-Key was used for another request; send the same body again, or a new key.",
            field=("header", "Idempotency-Key"),
        )
    raise Conflict("There is a session under this id already.")


def stop(
    session: Session, *, cause: str = "stop", reason: str = "", adopted: e.SessionCreated | None = None
) -> list[e.SessionEvent]:
    """End for good: nothing runs in it any more."""
    session, begun = _known(session, adopted)
    return [] if session.stopped else [*begun, e.SessionStopped(cause=cause, reason=reason)]


def delete(session: Session, *, reason: str = "", adopted: e.SessionCreated | None = None) -> list[e.SessionEvent]:
    """Show it no more; it is stopped with that."""
    if session.deleted:
        return []
    session, begun = _known(session, adopted)
    return [*begun, *_ended(session, "delete"), e.SessionDeleted(reason=reason)]


def purge(
    session: Session, *, blobs: int = 0, reason: str = "", adopted: e.SessionCreated | None = None
) -> list[e.SessionEvent]:
    """Whatever it said, and its tasks, are to be removed; it is stopped with that. `blobs` are those of its files."""
    if session.purged is not None:
        return []
    session, begun = _known(session, adopted)
    if session.created is None:
        raise NotAllowed("This session was written by another version, which alone can purge it.")
    said = [*begun, *_ended(session, "purge")]
    project, through = session.created.project, session.version + len(said) - len(begun)
    return [*said, e.SessionPurged(project=project, events=through, blobs=blobs, reason=reason)]


def share(session: Session, *, share: str, adopted: e.SessionCreated | None = None) -> list[e.SessionEvent]:
    """Whoever has the link may look. What is shared already stays so, under the id that it has."""
    session, begun = _known(session, adopted)
    if session.purged is not None:
        raise NotAllowed("This session was purged; there is nothing left to share.")
    return [] if session.share else [*begun, e.SessionShared(share=share)]


def unshare(session: Session, *, adopted: e.SessionCreated | None = None) -> list[e.SessionEvent]:
    """The link opens nothing any more."""
    session, _ = _known(session, adopted)
    return [e.SessionUnshared(share=session.share)] if session.share else []


def viewed(session: Session, *, share: str, views: int = 1) -> list[e.SessionEvent]:
    """It was looked at so many more times; what is not shared any more counts nothing."""
    return [e.ShareViewed(share=share, views=views)] if share and share == session.share else []


# --- what a runner does -----------------------------------------------------------------------------------------


def opened(session: Session, *, opened: e.SessionOpened) -> list[e.SessionEvent]:
    """A runner has a browser for it. One that was open before is gone with that.

    Raises NotFound, and SessionStopped for one in which nothing runs any more.
    """
    session, _ = _known(session, None)
    if session.stopped:
        raise SessionStopped
    if session.opened == opened:
        return []
    before = session.opened
    return [*([e.SessionClosed(runner=before.runner, cause="lost")] if before else []), opened]


def closed(session: Session, *, runner: str, cause: str) -> list[e.SessionEvent]:
    """The browser that this runner had is gone. Nothing to say when it has none."""
    if session.opened is None or session.opened.runner != runner:
        return []
    return [e.SessionClosed(runner=runner, cause=cause)]


# --- its files ---------------------------------------------------------------------------------------------------


def upload(session: Session, *, file: e.File, adopted: e.SessionCreated | None = None) -> list[e.SessionEvent]:
    """A file for it. The same name again is a newer file in its place. Raises Invalid for too many."""
    session, begun = _known(session, adopted)
    if session.stopped:
        raise SessionStopped
    if session.created is None or session.uploads.get(file.id) == file:
        return []
    _fits(session.uploads, file)
    return [*begun, e.FileUploaded(project=session.created.project, file=file)]


def download(session: Session, *, file: e.File, adopted: e.SessionCreated | None = None) -> list[e.SessionEvent]:
    """Its browser downloaded a file. The same name again is a newer file in its place. Raises Invalid for too many."""
    session, begun = _known(session, adopted)
    if session.purged is not None or session.downloads.get(file.id) == file:
        return []
    _fits(session.downloads, file)
    return [*begun, e.FileDownloaded(file=file)]


def remove(session: Session, *, files: Iterable[str], reason: str = "") -> list[e.SessionEvent]:
    """These files are to be deleted, by id; those that are not there any more are passed over."""
    gone = tuple(file for file in files if file in session.uploads or file in session.downloads)
    return [e.FilesRemoved(files=gone, reason=reason)] if gone else []


def _known(session: Session, adopted: e.SessionCreated | None) -> tuple[Session, list[e.SessionEvent]]:
    """The session, and what begins its stream if nothing has. Raises NotFound where there is nothing to see."""
    if session.version == 0 and adopted is not None:
        begun = msgspec.structs.replace(adopted, explicit=False)
        return evolve(session, begun), [begun]
    if session.version == 0 or session.deleted:
        raise NotFound("Session not found")
    return session, []


def _ended(session: Session, cause: str) -> list[e.SessionEvent]:
    return [] if session.stopped else [e.SessionStopped(cause=cause)]


def _put(files: dict[str, e.File], file: e.File) -> dict[str, e.File]:
    return {known: each for known, each in files.items() if each.name != file.name and known != file.id} | {
        file.id: file
    }


def _without(files: dict[str, e.File], gone: Iterable[str]) -> dict[str, e.File]:
    return {known: each for known, each in files.items() if known not in set(gone)}


def _fits(files: dict[str, e.File], file: e.File) -> None:
    if len(files) >= MAX_FILES and len(_put(files, file)) > MAX_FILES:
        raise Invalid(f"A session has room for {MAX_FILES} files of each sort; remove some first.")
