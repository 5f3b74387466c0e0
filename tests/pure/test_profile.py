"""A profile is made once, saved in dense versions, and gone once it is deleted."""

import pytest

from eventstore import events as e
from eventstore import profile as decide
from eventstore.errors import Conflict, NotFound
from eventstore.profile import Profile, fold

CREATED = e.ProfileCreated(project="p", family="v1", name="Shop")
OTHER = e.ProfileCreated(project="p", family="v2", name="Bank")
WHOLE = decide.changed(CREATED)
SHY = decide.changed(CREATED, persist=False)
DELETED = e.ProfileDeleted()


def saved(version: int) -> e.ProfileSaved:
    return e.ProfileSaved(version=version, stream="task-1")


def test_a_profile_is_made_and_made_again_it_is_one() -> None:
    assert [CREATED] == decide.create(Profile(), created=CREATED)
    assert [] == decide.create(fold([CREATED]), created=CREATED)


@pytest.mark.parametrize("before", [[CREATED], [CREATED, DELETED]])
def test_another_profile_in_its_place_is_refused(before: list[e.Event]) -> None:
    with pytest.raises(Conflict):
        decide.create(fold(before), created=OTHER)


def test_it_is_changed_as_a_whole_and_changed_to_the_same_it_is_not() -> None:
    assert [SHY] == decide.change(fold([CREATED]), change=SHY)
    assert [] == decide.change(fold([CREATED]), change=WHOLE)
    assert [] == decide.change(fold([CREATED, SHY]), change=SHY)


def test_snapshots_are_numbered_one_after_the_other() -> None:
    assert [saved(1)] == decide.save(fold([CREATED]), saved=saved(1))
    assert [saved(3)] == decide.save(fold([CREATED, saved(1), saved(2)]), saved=saved(3))
    for wrong in (0, 1, 3):
        with pytest.raises(Conflict):
            decide.save(fold([CREATED, saved(1)]), saved=saved(wrong))


def test_the_newest_few_snapshots_are_kept_and_none_of_a_profile_that_is_gone() -> None:
    history = [CREATED, *map(saved, range(1, 6))]

    kept = [fold(history[:length]).kept for length in range(1, 7)]

    assert [(), (1,), (2, 1), (3, 2, 1), (4, 3, 2), (5, 4, 3)] == kept
    assert () == fold([*history, DELETED]).kept


def test_using_it_says_who_and_with_what() -> None:
    assert [e.ProfileUsed(stream="task-1", version=2)] == decide.use(fold([CREATED]), stream="task-1", version=2)


def test_deleting_twice_is_once() -> None:
    assert [e.ProfileDeleted(reason="done")] == decide.delete(fold([CREATED]), reason="done")
    assert [] == decide.delete(fold([CREATED, DELETED]))


@pytest.mark.parametrize("before", [[], [CREATED, saved(1), DELETED]])
def test_what_is_not_there_is_neither_changed_nor_used_nor_saved(before: list[e.Event]) -> None:
    profile = fold(before)

    with pytest.raises(NotFound, match=r"^Profile not found$"):
        decide.change(profile, change=SHY)
    with pytest.raises(NotFound):
        decide.use(profile, stream="task-1", version=1)
    with pytest.raises(NotFound):
        decide.save(profile, saved=saved(2))
    assert [] == decide.fail(profile, failed=e.ProfileSaveFailed(stream="task-1", cause="no_state"))


def test_no_history_makes_a_deleted_profile_come_back() -> None:
    history = [CREATED, saved(1), DELETED, OTHER, SHY, e.TaskFinished(fence=1, success=True)]

    assert Profile(version=6, created=CREATED, current=SHY, saved=1, deleted=True) == fold(history)
