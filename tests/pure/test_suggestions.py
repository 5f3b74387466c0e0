"""What a task's user could change, from what its tape shows: each suggestion names the positions that it rests on."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.settings import Settings
from api.v2 import schemas
from eventstore import events as e
from eventstore.codec import TYPES
from eventstore.machine import Hold
from projections.findings import MOST_ABOUT, MOST_POSITIONS
from projections.suggestions import MOST, SAYINGS, Suggestion, suggestions
from projections.task_row import TaskRow, apply
from runner.egress.rules import Rules
from runner.inbox import Download, _words
from tests.histories import CREATED
from tests.tapes import recorded_all

BEGUN: tuple[e.Event, ...] = (
    e.TaskClaimed(runner="r1", attempt=1),
    e.TaskStarted(fence=2, browser="b", viewport_width=9, viewport_height=9),
)
FIRST = 14
"""The position of the event after those."""


def row_of(events: Iterable[e.Event], llm: str = "gpt-4.1") -> TaskRow:
    created = e.TaskCreated(instruction="Buy it", llm=llm, session="s", project="p", family="v2", request_digest="d")
    row = None
    for recorded in recorded_all([created, *BEGUN, *events]):
        row = apply(row, recorded)
    assert row is not None
    return row


def told(*events: e.Event, llm: str = "gpt-4.1") -> list[tuple[str, tuple[int, ...]]]:
    """The codes of the suggestions with their evidence."""
    return [(each.code, each.evidence) for each in suggestions(row_of(events, llm))]


def act(params: str = '{"click":{"index":1}}', url: str = "http://a.test/", name: str = "click") -> e.ActionStarted:
    return e.ActionStarted(fence=3, step=1, index=0, name=name, params=params, effect="lasting", url=url)


def ended(code: str = "", error: str = "", result: str = "") -> e.ActionEnded:
    return e.ActionEnded(fence=3, step=1, index=0, ok=not code, code=code, error=error, result=result)


def test_a_task_in_which_nothing_went_wrong_has_no_suggestions() -> None:
    assert [] == told(act(), ended(), e.TaskFinished(fence=3, success=True))


@pytest.mark.parametrize("code", ["max_steps", "max_tokens", "max_cost", "task_timeout"])
def test_a_limit_that_ended_the_task_is_named(code: str) -> None:
    assert [(code, (FIRST,))] == told(e.TaskFailed(fence=3, code=code, message="It is used up."))


def test_a_limit_that_parked_the_task_is_named_at_every_pause_and_at_the_end() -> None:
    paused = e.TaskPaused(fence=3, step=1, cause=Hold.BUDGET, limit="max_steps")
    again = e.ResumeRequested(), e.TaskResumed(fence=3, step=1)
    failed = e.TaskFailed(fence=3, code="max_steps", message="It is used up.")

    assert [("max_steps", (FIRST, FIRST + 3, FIRST + 6))] == told(paused, *again, paused, *again, failed)


@pytest.mark.parametrize("code", ["max_tokens", "max_cost", "max_steps", ""])
def test_which_limit_parked_the_task_is_what_the_tape_says(code: str) -> None:
    paused = e.TaskPaused(fence=3, step=1, cause=Hold.BUDGET, limit=code)

    assert [(code or "max_steps", (FIRST,))] == told(paused)


def test_a_blocked_domain_is_named_once_with_what_would_allow_it() -> None:
    refusal = Rules(allowed_domains=("shop.test",)).refusal("https", "cdn.test", None)
    blocked = e.NavigationBlocked(fence=3, url="https://cdn.test/a.js", reason=refusal)

    row = row_of([blocked, blocked])

    message = (
        "cdn.test was refused 2 times: cdn.test is not among the allowed domains (shop.test). If the task needs it, "
        "allow it in allowedDomains."
    )
    assert [Suggestion(code="blocked_domain", message=message, evidence=(FIRST, FIRST + 1))] == suggestions(row)


def test_a_private_address_is_not_said_to_be_allowed_by_a_domain() -> None:
    refusal = Rules().refusal("http", "10.0.0.1", None)

    row = row_of([e.NavigationBlocked(fence=3, url="http://10.0.0.1/", reason=refusal)])

    said = "10.0.0.1 was refused once: 10.0.0.1 is a private address; TAPEWRIGHT_ALLOW_PRIVATE=private would allow it."
    assert [said] == [each.message for each in suggestions(row)]


@pytest.mark.parametrize(("code", "found"), [("no_target", "unfound_target"), ("ambiguous_target", "ambiguous_target")])
def test_a_target_is_worth_a_word_where_it_comes_again_or_ends_the_task(code: str, found: str) -> None:
    once = act(), ended(code, "No button.")
    other = act('{"click":{"index":2}}'), ended(code, "No link.")
    failed = e.TaskFailed(fence=3, code=code, message="No button.")

    assert [] == told(*once)
    assert [(found, (FIRST + 1, FIRST + 3))] == told(*once, *other)
    assert [(found, (FIRST + 1,))] == told(*once, failed)


def test_what_the_failure_says_is_not_said_again() -> None:
    error = 'No button "Buy" is on the page.'
    failed = e.TaskFailed(fence=3, code="no_target", message=f"Step 1: {error}")
    advice = "What an act was about was not there {}. Name elements in the task as the page does."

    ended_so = suggestions(row_of([act(), ended("no_target", error), failed]))
    went_on = suggestions(row_of([act(), ended("no_target", error)] * 2))

    assert [advice.format("once")] == [each.message for each in ended_so]
    assert [f"{advice.format('2 times')} {error}"] == [each.message for each in went_on]


def test_an_act_that_failed_three_times_is_quoted() -> None:
    row = row_of([act(), ended("timeout", "It is covered.")] * 3, llm="instructions")

    assert [
        Suggestion(
            code="failing_act",
            message='The same act failed 3 times: {"click":{"index":1}}. Say in the task how to do it otherwise. '
            "It is covered.",
            evidence=(FIRST + 1, FIRST + 3, FIRST + 5),
        )
    ] == suggestions(row)


@pytest.mark.parametrize("period", [1, 2, 3])
def test_acts_that_come_again_four_times_on_the_same_page_are_a_loop(period: int) -> None:
    acts = [act(f'{{"click":{{"index":{number}}}}}') for number in range(period)]

    assert [] == told(*(acts * 4)[:-1])
    assert [("loop", (FIRST,))] == told(*acts * 4)


def test_a_loop_that_goes_on_is_named_again_each_time_that_it_has_come_round_four_times() -> None:
    assert [("loop", (FIRST, FIRST + 4))] == told(*[act()] * 11)


def test_the_same_act_on_other_pages_is_no_loop_nor_is_what_the_instructions_say() -> None:
    assert [] == told(*(act(url=f"http://a.test/{number}") for number in range(20)))
    assert [] == told(*[act()] * 20, llm="instructions")


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (e.InputExpired(fence=3, request="q"), "unanswered_question"),
        (e.RunnerLost(runner="r1", attempt=1, cause="browser_lost"), "browser_lost"),
        (e.RunnerLost(runner="r1", attempt=1, cause="page_crashed"), "browser_lost"),
        (e.RunnerLost(runner="r1", attempt=1, cause="crash"), "runner_lost"),
        (e.StepInterrupted(fence=3, number=1, cause="timeout"), "step_timeout"),
        (ended("secret_refused", 'The secret "key" is not typed: its field is on b.test.'), "secret_refused"),
        (ended("unknown_secret", 'There is no secret "key".'), "unknown_secret"),
    ],
)
def test_what_stood_in_the_way_is_named(event: e.Event, code: str) -> None:
    assert [(code, (FIRST,))] == told(event)


@pytest.mark.parametrize("cause", ["shutdown", "let_go"])
def test_an_orderly_end_of_the_service_is_nothing_to_change(cause: str) -> None:
    assert [] == told(e.RunnerLost(runner="r1", attempt=1, cause=cause))


def test_a_refused_download_is_named_but_not_what_a_page_says_of_one() -> None:
    refused = _words(Download(name="a.zip", problem="a task downloads at most 10 bytes"))

    assert [("download_refused", (FIRST + 1,))] == told(act(), ended(result=f"clicked; {refused}"))
    assert [] == told(act('{"extract":{}}', name="extract"), ended(result=f"clicked; {refused}"))


@pytest.mark.parametrize(
    ("verdict", "report", "codes"),
    [
        (True, "{}", []),
        (None, "{}", []),
        (False, "{}", ["judged_unsuccessful"]),
        (False, '{"impossible_task":true,"reached_captcha":true}', ["captcha", "impossible_task"]),
        (False, "no JSON", ["judged_unsuccessful"]),
        (False, "[1]", ["judged_unsuccessful"]),
    ],
)
def test_what_a_judge_says_is_a_suggestion_where_it_is_no_praise(
    verdict: bool | None, report: str, codes: list[str]
) -> None:
    judged = e.JudgementRecorded(fence=3, model="m", verdict=verdict, report=report)

    assert codes == [code for code, _ in told(judged, e.TaskFinished(fence=3, success=True))]


@pytest.mark.parametrize("code", ["loop", "differs", "model_refused", "model_rate_limited", "no_model"])
def test_what_a_model_or_a_recording_failed_by_is_told_with_its_own_sentence(code: str) -> None:
    row = row_of([e.TaskFailed(fence=3, code=code, message="This is why.")])

    (suggestion,) = suggestions(row)
    assert (code, (FIRST,)) == (suggestion.code, suggestion.evidence)
    assert suggestion.message.startswith("This is why.")


def test_what_was_redacted_has_neither_suggestions_nor_a_judgement() -> None:
    judged = e.JudgementRecorded(fence=3, model="m", verdict=False, report="{}")
    ended_ = e.TaskFinished(fence=3, success=True)
    redacted = e.TaskRedacted(project="p", request_digest="d", events=5)

    row = row_of([judged, ended_, redacted])

    assert ("", None, []) == (row.judgement, row.verdict, suggestions(row))


def test_the_last_judgement_counts_and_none_comes_after_the_end() -> None:
    first = e.JudgementRecorded(fence=3, model="m", verdict=False, report='{"a":1}')
    second = e.JudgementRecorded(fence=3, model="m", verdict=True, report='{"a":2}')

    row = row_of([first, second, e.TaskFinished(fence=3, success=True), first])

    assert ('{"a":2}', True) == (row.judgement, row.verdict)


def test_findings_are_bounded_in_number_evidence_and_length() -> None:
    blocked = [
        e.NavigationBlocked(fence=3, url=f"http://{'a' * 300}{number % 50}.test/", reason="r" * 4_000)
        for number in range(500)
    ]
    failing = [
        event for number in range(300) for event in (act(f'{{"a":"{"x" * 900}{number}"}}'), ended("no_target", "n"))
    ]

    row = row_of([*blocked, *failing])

    assert len(row.findings.found) <= 3 * MOST_ABOUT
    assert all(len(each.positions) <= MOST_POSITIONS for each in row.findings.found)
    assert all(len(each.about) <= 200 and len(each.detail) <= 500 for each in row.findings.found)
    assert MOST >= len(suggestions(row))


def test_what_is_seen_often_stays_when_much_else_is_seen_once() -> None:
    often = e.NavigationBlocked(fence=3, url="http://often.test/", reason="r")
    others = [e.NavigationBlocked(fence=3, url=f"http://{number}.test/", reason="r") for number in range(30)]

    row = row_of([often, often, *others])

    assert ("often.test", 2) in [(each.about, each.times) for each in row.findings.found]


def test_every_setting_and_field_that_is_named_is_there() -> None:
    said = " ".join(words for _, words in SAYINGS.values())
    settings = {f"TAPEWRIGHT_{name.upper()}" for name in Settings.__struct_fields__}
    fields = {*schemas.CreateTask.__struct_encode_fields__, *schemas.SessionSettings.__struct_encode_fields__}

    assert set() == set(re.findall(r"TAPEWRIGHT_[A-Z_]+", said)) - settings
    assert set() == set(re.findall(r"\b[a-z]+[A-Z][A-Za-z]+", said)) - fields


_ANY_EVENT = st.one_of(*(st.from_type(kind) for kind in TYPES.values()), st.builds(e.Unknown, original=st.text()))


@given(st.lists(_ANY_EVENT, max_size=20))
def test_no_history_makes_suggestions_raise(events: list[e.Event]) -> None:
    row = None
    for recorded in recorded_all([CREATED, *events]):
        row = apply(row, recorded)

    assert row is not None
    assert all(each.message and each.evidence for each in suggestions(row))


def test_every_kind_of_suggestion_is_in_the_documentation() -> None:
    told = (Path(__file__).parents[2] / "docs" / "models.md").read_text().partition("## Suggestions")[2]
    kinds = {code.rpartition(":")[2] for code in SAYINGS} - {"model"}

    assert set() == {kind for kind in kinds if f"`{kind}`" not in told}
