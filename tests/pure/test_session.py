"""Each intention on a session in each of its states: what is new, what is refused; then again, and nothing is new."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st

from eventstore import events as e
from eventstore import session as decide
from eventstore.errors import Conflict, Invalid, NotAllowed, NotFound, Refused, SessionStopped
from eventstore.session import MAX_FILES, Session, fold

Decision = Callable[[Session], list[e.SessionEvent]]

CREATED = e.SessionCreated(project="p", family="v2")
ADOPTED = e.SessionCreated(project="p", family="v2", explicit=False, keep_alive=False)
OPENED = e.SessionOpened(runner="r1", browser="Chromium")
FILE = e.File(id="f1", name="a.txt", blob="ab" * 32, size=3)
SHARED = e.SessionShared(share="s1")
PURGED = e.SessionPurged(project="p", events=2)

HISTORIES: dict[str, tuple[e.Event, ...]] = {
    "absent": (),
    "active": (CREATED,),
    "implied": (ADOPTED,),
    "open": (CREATED, OPENED),
    "closed": (CREATED, OPENED, e.SessionClosed(runner="r1", cause="idle")),
    "shared": (CREATED, SHARED),
    "unshared": (CREATED, SHARED, e.SessionUnshared(share="s1")),
    "with files": (CREATED, e.FileUploaded(project="p", file=FILE), e.FileDownloaded(file=FILE)),
    "stopped": (CREATED, OPENED, e.SessionStopped()),
    "deleted": (CREATED, e.SessionStopped(), e.SessionDeleted()),
    "purged": (CREATED, e.SessionStopped(), PURGED),
}

INTENDED: dict[str, Decision] = {
    "create": partial(decide.create, created=CREATED),
    "stop": decide.stop,
    "stop, adopted": partial(decide.stop, adopted=ADOPTED),
    "delete": decide.delete,
    "delete, adopted": partial(decide.delete, adopted=ADOPTED),
    "purge": partial(decide.purge, blobs=2),
    "purge, adopted": partial(decide.purge, adopted=ADOPTED),
    "share": partial(decide.share, share="s2"),
    "share, adopted": partial(decide.share, share="s2", adopted=ADOPTED),
    "unshare": decide.unshare,
    "unshare, adopted": partial(decide.unshare, adopted=ADOPTED),
    "opened": partial(decide.opened, opened=OPENED),
    "opened by another": partial(decide.opened, opened=e.SessionOpened(runner="r2", browser="Chromium")),
    "closed": partial(decide.closed, runner="r1", cause="idle"),
    "upload": partial(decide.upload, file=FILE),
    "upload, adopted": partial(decide.upload, file=FILE, adopted=ADOPTED),
    "download": partial(decide.download, file=FILE),
    "download, adopted": partial(decide.download, file=FILE, adopted=ADOPTED),
    "remove": partial(decide.remove, files=("f1", "unknown")),
}

STREAMS = st.lists(st.sampled_from([event for history in HISTORIES.values() for event in history]), max_size=8)


def given(*events: e.Event) -> Session:
    return fold(events)


@pytest.mark.parametrize("decision", INTENDED.values(), ids=INTENDED)
@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_every_intention_is_refused_or_repeats_to_nothing(history: tuple[e.Event, ...], decision: Decision) -> None:
    session = given(*history)

    try:
        events = decision(session)
    except Refused:
        return
    session = fold(events, session)

    assert [] == decision(session)


@generated(events=STREAMS, intention=st.sampled_from(list(INTENDED)))
def test_whatever_the_history_a_decision_is_refused_or_repeats_to_nothing(
    events: list[e.Event], intention: str
) -> None:
    session = given(*events)
    decision = INTENDED[intention]

    try:
        said = decision(session)
    except Refused:
        return
    after = fold(said, session)

    assert len(events) == session.version
    assert session.version + len(said) == after.version
    assert [] == decision(after)


@generated(events=STREAMS, more=st.sampled_from([FILE, CREATED, OPENED]))
def test_nothing_is_active_again_once_it_stopped(events: list[e.Event], more: object) -> None:
    session = given(CREATED, *events, e.SessionStopped())

    session = fold([*events, OPENED, CREATED], session)

    assert not session.active


@pytest.mark.parametrize("name", ["stop", "delete", "purge", "share", "unshare", "opened", "upload", "download"])
def test_a_session_that_does_not_exist_is_not_found(name: str) -> None:
    with pytest.raises(NotFound, match=r"^Session not found$"):
        INTENDED[name](Session())


def test_what_is_said_of_a_session_that_a_task_implies_begins_its_stream() -> None:
    events = decide.share(Session(), share="s1", adopted=CREATED)

    assert [e.SessionCreated(project="p", family="v2", explicit=False), SHARED] == events


def test_nothing_begins_the_stream_of_a_session_of_which_there_is_nothing_to_say() -> None:
    events = decide.unshare(Session(), adopted=ADOPTED)

    assert [] == events


def test_what_was_said_before_goes_with_a_purge() -> None:
    shared = given(CREATED, SHARED, e.FileUploaded(project="p", file=FILE))

    events = decide.purge(shared, blobs=1, reason="asked for")

    purged = e.SessionPurged(project="p", events=4, blobs=1, reason="asked for")
    assert [e.SessionStopped(cause="purge"), purged] == events
    assert Session(version=5, stopped="purge", purged=purged) == fold(events, shared)


def test_the_purge_of_an_implied_session_covers_what_begins_its_stream() -> None:
    events = decide.purge(Session(), adopted=ADOPTED)

    assert [ADOPTED, e.SessionStopped(cause="purge"), e.SessionPurged(project="p", events=2)] == events


def test_a_purged_session_can_still_be_deleted_but_not_be_shared() -> None:
    purged = given(*HISTORIES["purged"])

    assert [e.SessionDeleted()] == decide.delete(purged)
    with pytest.raises(NotAllowed, match="purged"):
        decide.share(purged, share="s2")


def test_deleting_stops_what_is_active() -> None:
    assert [e.SessionStopped(cause="delete"), e.SessionDeleted()] == decide.delete(given(CREATED))


def test_a_link_that_was_taken_back_counts_no_views() -> None:
    session = given(CREATED, SHARED, e.SessionUnshared(share="s1"), e.SessionShared(share="s2"))

    assert [] == decide.viewed(session, share="s1")
    assert [e.ShareViewed(share="s2", views=3)] == decide.viewed(session, share="s2", views=3)


def test_a_browser_that_is_opened_over_another_says_that_the_other_was_lost() -> None:
    opened = e.SessionOpened(runner="r2", browser="Chromium")

    events = decide.opened(given(CREATED, OPENED), opened=opened)

    assert [e.SessionClosed(runner="r1", cause="lost"), opened] == events


def test_nothing_is_opened_in_a_stopped_session_and_nothing_uploaded() -> None:
    stopped = given(CREATED, e.SessionStopped())

    for name in ("opened", "upload"):
        with pytest.raises(SessionStopped):
            INTENDED[name](stopped)


def test_a_runner_closes_only_its_own_browser() -> None:
    assert [] == decide.closed(given(CREATED, OPENED), runner="r2", cause="idle")


def test_a_second_session_under_the_same_id_is_refused() -> None:
    with pytest.raises(Conflict):
        decide.create(given(CREATED), created=e.SessionCreated(project="other", family="v2"))


def test_the_same_request_is_one_session_and_another_one_under_its_key_is_refused() -> None:
    created = e.SessionCreated(project="p", family="v2", request_digest="d")
    later = e.SessionCreated(project="p", family="v2", request_digest="d", seconds=5.0)

    assert [] == decide.create(given(created), created=later)
    with pytest.raises(Invalid, match=r"^This Idempotency-Key was used for another request"):
        decide.create(given(created), created=e.SessionCreated(project="p", family="v2", request_digest="other"))


def test_a_file_of_the_same_name_takes_the_place_of_the_first() -> None:
    newer = e.File(id="f2", name="a.txt", blob="cd" * 32, size=4)

    session = given(CREATED, *decide.upload(given(CREATED), file=FILE), e.FileUploaded(project="p", file=newer))

    assert {"f2": newer} == session.uploads


def test_a_session_has_room_for_so_many_files_and_no_more() -> None:
    files = [e.File(id=f"f{i}", name=f"{i}.txt", blob="ab" * 32, size=1) for i in range(MAX_FILES)]
    full = given(CREATED, *(e.FileUploaded(project="p", file=file) for file in files))

    newer = e.File(id="new", name="0.txt", blob="cd" * 32, size=1)

    assert [e.FileUploaded(project="p", file=newer)] == decide.upload(full, file=newer)
    with pytest.raises(Invalid, match=r"room for 1000 files"):
        decide.upload(full, file=e.File(id="new", name="new.txt", blob="cd" * 32, size=1))
