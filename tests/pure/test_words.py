"""Every state has a word in every family."""

from api.v1 import schemas as v1
from api.v2 import schemas as v2
from eventstore.machine import State

S = State


def test_every_state_has_a_word_in_both_families() -> None:
    for words in (v1.WORDS, v2.WORDS):
        assert set(State) - {State.ABSENT} == set(words)


def test_v1_says_only_what_its_documents_list() -> None:
    assert {"created", "running", "finished", "stopped", "paused", "failed"} == set(v1.WORDS.values())


def test_v2_says_only_what_its_clients_know_as_an_end_or_as_under_way() -> None:
    assert {"created", "started", "finished", "stopped"} == set(v2.WORDS.values())


def test_a_filter_finds_what_is_shown_under_its_word() -> None:
    shown = {
        "created": {S.QUEUED},
        "started": {S.CLAIMED, S.RUNNING, S.PAUSING, S.PAUSED, S.RESUMING, S.STOPPING},
        "finished": {S.FINISHED, S.FAILED},
        "stopped": {S.STOPPED},
    }

    assert shown == {word: v2.meant(word) for word in ("created", "started", "finished", "stopped")}


def test_the_filter_for_failed_tasks_finds_those_alone() -> None:
    assert {State.FAILED} == v2.meant("failed")
