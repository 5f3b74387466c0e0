"""A key is made once, revoked once, and opens what its scopes say."""

import pytest

from eventstore import events as e
from eventstore.errors import Conflict, Invalid, NotFound
from eventstore.key import SCOPES, Key, create, fold, opened, revoke

CREATED = e.KeyCreated(digest="d", project="p", name="n", scopes=("read",))
OTHER = e.KeyCreated(digest="other", project="p")


def test_a_key_is_made_and_made_again_it_is_one() -> None:
    assert [CREATED] == create(Key(), created=CREATED)
    assert [] == create(fold([CREATED]), created=CREATED)


@pytest.mark.parametrize("before", [[CREATED], [CREATED, e.KeyRevoked()]])
def test_another_key_in_its_place_is_refused(before: list[e.Event]) -> None:
    with pytest.raises(Conflict):
        create(fold(before), created=OTHER)


@pytest.mark.parametrize("scopes", [(), ("write",), ("read", "root")])
def test_a_key_without_a_scope_or_with_an_unknown_one_is_refused(scopes: tuple[str, ...]) -> None:
    with pytest.raises(Invalid):
        create(Key(), created=e.KeyCreated(digest="d", project="p", scopes=scopes))


def test_revoking_twice_is_once() -> None:
    assert [e.KeyRevoked(reason="lost")] == revoke(fold([CREATED]), reason="lost")
    assert [] == revoke(fold([CREATED, e.KeyRevoked()]), reason="lost")


def test_what_was_never_made_cannot_be_revoked() -> None:
    with pytest.raises(NotFound):
        revoke(Key())


def test_no_history_makes_a_revoked_key_good_again() -> None:
    history = [CREATED, e.KeyRevoked(), OTHER, e.TaskFinished(fence=1, success=True)]

    assert Key(version=4, created=CREATED, revoked=True) == fold(history)


def test_each_scope_is_a_word_of_its_own_and_admin_opens_all() -> None:
    assert [{"read"}, {"control"}, {"read", "control"}, set(SCOPES)] == [
        opened(scopes) for scopes in (["read"], ["control"], ["control", "read"], ["admin"])
    ]
