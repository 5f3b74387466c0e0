"""Each intention in each state: what is new, what is so already, what is refused; then again, and nothing is new."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given as generated
from hypothesis import settings
from hypothesis import strategies as st

from eventstore import decide
from eventstore import events as e
from eventstore.codec import type_of
from eventstore.errors import Fenced, Invalid, NotAllowed, NotFound, Refused
from eventstore.machine import INTENTIONS, PHASES, Answer, Desired, Phase, State
from eventstore.task import EXCUSED, Task, evolve, fold

Decision = Callable[[Task], list[e.Event]]

CREATED = e.TaskCreated(
    instruction="Go to example.com.", llm="instructions", session="s", project="p", family="v1", request_digest="d"
)
CLAIMED = e.TaskClaimed(runner="r1", attempt=1)
STARTED = e.TaskStarted(fence=2, browser="Chromium", viewport_width=1280, viewport_height=960)
STEP = e.StepStarted(fence=2, number=1)
ACT = e.ActionStarted(fence=2, step=1, index=0, name="click", params="{}", effect="lasting")
ACTED = e.ActionEnded(fence=2, step=1, index=0, ok=True)
TAKEN = e.StepTaken(fence=2, number=1)
RUNNING = (CREATED, CLAIMED, STARTED)
PAUSED = (*RUNNING, e.PauseRequested(), e.TaskPaused(fence=2, step=0, answers=4))

HISTORIES: dict[State, tuple[e.Event, ...]] = {
    State.ABSENT: (),
    State.QUEUED: (CREATED,),
    State.CLAIMED: (CREATED, CLAIMED),
    State.RUNNING: RUNNING,
    State.PAUSING: (*RUNNING, e.PauseRequested()),
    State.PAUSED: PAUSED,
    State.RESUMING: (*PAUSED, e.ResumeRequested()),
    State.STOPPING: (*RUNNING, e.StopRequested()),
    State.FINISHED: (*RUNNING, e.TaskFinished(fence=2, success=True, output="ok")),
    State.FAILED: (*RUNNING, e.TaskFailed(fence=2, code="no_target", message="")),
    State.STOPPED: (CREATED, e.StopRequested(), e.TaskStopped(fence=0, step=0, answers=2)),
}

QUESTION = e.InputRequested(fence=2, step=0, request="q1", kind="code", prompt="Which code?", seconds=60.0)
ASKING = (*RUNNING, QUESTION, e.TaskPaused(fence=2, step=0, cause="input"))
TAKEN_OVER = (*PAUSED, e.ControlTaken())
LOST_NOW = e.RunnerLost(runner="r1", attempt=1)
USED_UP = (*RUNNING, e.TaskPaused(fence=2, step=0, cause="budget", limit="max_steps"))
BY_HAND = e.HumanActed(fence=2, name="click", params="{}")

WITH_PEOPLE: dict[str, tuple[e.Event, ...]] = {
    "asking": ASKING,
    "asking, and to be paused": (*ASKING, e.PauseRequested()),
    "asking, and to be stopped": (*ASKING, e.StopRequested()),
    "asking, and run by nobody": (*ASKING, LOST_NOW),
    "answered": (*ASKING, e.InputProvided(request="q1")),
    "answered, and run by nobody": (*ASKING, LOST_NOW, e.InputProvided(request="q1")),
    "expired": (*ASKING, e.InputExpired(fence=2, request="q1")),
    "resumed without an answer": (*ASKING, e.ResumeRequested()),
    "taken over": TAKEN_OVER,
    "taken over, and to be stopped": (*TAKEN_OVER, e.ControlReturned(reason="stop"), e.StopRequested()),
    "taken over, and its browser lost": (*TAKEN_OVER, LOST_NOW),
    "taken over while asking": (*ASKING, e.ControlTaken()),
    "taken over while asking, and answered": (*ASKING, e.ControlTaken(), e.InputProvided(request="q1")),
    "failed while taken over": (*TAKEN_OVER, e.TaskFailed(fence=2, code="internal", message="")),
    "stopped while asking": (*ASKING, e.StopRequested(), e.TaskStopped(fence=2, step=0)),
}

WITH_LIMITS: dict[str, tuple[e.Event, ...]] = {
    "used up": USED_UP,
    "used up, and to be paused": (*USED_UP, e.PauseRequested()),
    "used up, and to be stopped": (*USED_UP, e.StopRequested()),
    "used up, and run by nobody": (*USED_UP, LOST_NOW),
    "used up, and resumed": (*USED_UP, e.ResumeRequested()),
    "used up, and taken over": (*USED_UP, e.ControlTaken()),
    "used up, taken over and given back": (*USED_UP, e.ControlTaken(), e.ControlReturned()),
}

INTENDED: dict[str, Decision] = {
    "create": partial(decide.create, created=CREATED),
    "pause": partial(decide.pause, command_id="c1"),
    "resume": partial(decide.resume, command_id="c2"),
    "stop": partial(decide.stop, command_id="c3"),
    "claim": partial(decide.claim, runner="r2"),
    "park": partial(decide.park, fence=2),
    "unpark": partial(decide.unpark, fence=2),
    "stopped": partial(decide.stopped, fence=2),
    "interrupt": partial(decide.interrupt, fence=2, cause="pause"),
    "lose": partial(decide.lose, runner="r1"),
    "ask": partial(decide.ask, question=QUESTION),
    "exhaust": partial(decide.exhaust, fence=2, limit="max_steps"),
    "provide": partial(decide.provide, request="q1", command_id="c4"),
    "expire": partial(decide.expire, request="q1"),
    "take": partial(decide.take_control, command_id="c5"),
    "return": partial(decide.return_control, command_id="c6"),
}
ALL_HISTORIES = {**{state.value: events for state, events in HISTORIES.items()}, **WITH_PEOPLE, **WITH_LIMITS}


def given(*events: e.Event) -> Task:
    return fold(events)


def test_every_state_has_a_history_that_leads_to_it() -> None:
    states = {state: given(*events).state for state, events in HISTORIES.items()}

    assert {state: state for state in State} == states


@pytest.mark.parametrize("decision", INTENDED.values(), ids=INTENDED)
@pytest.mark.parametrize("history", ALL_HISTORIES)
def test_every_intention_is_refused_or_fits_the_table_and_then_repeats_to_nothing(
    history: str, decision: Decision
) -> None:
    task = given(*ALL_HISTORIES[history])

    try:
        events = decision(task)
    except Refused:
        return
    for event in events:
        assert type(event) in PHASES[task.phase] or type(event) in INTENTIONS
        task = evolve(task, event)

    assert [] == decision(task)


@pytest.mark.parametrize("request_type", INTENTIONS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("state", [state for state in State if state is not State.ABSENT])
def test_what_people_ask_for_meets_what_the_table_says(state: State, request_type: type[e.Event]) -> None:
    decisions: dict[type[e.Event], Decision] = {
        e.PauseRequested: decide.pause,
        e.ResumeRequested: decide.resume,
        e.StopRequested: decide.stop,
    }

    try:
        events = decisions[request_type](given(*HISTORIES[state]))
        met = Answer.YES if events else Answer.ALREADY
    except NotAllowed:
        met = Answer.REFUSED

    assert INTENTIONS[request_type][state] is met


@pytest.mark.parametrize("decision", [decide.pause, decide.resume, decide.stop])
def test_a_task_that_does_not_exist_is_not_found(decision: Decision) -> None:
    with pytest.raises(NotFound, match="Task not found"):
        decision(Task())


def test_a_refusal_is_a_sentence_for_the_user() -> None:
    with pytest.raises(NotAllowed, match=r"^Stopped tasks cannot be resumed$"):
        decide.resume(given(*HISTORIES[State.STOPPED]))


def test_a_task_that_nobody_runs_is_stopped_at_once() -> None:
    task = given(CREATED)

    events = decide.stop(task, reason="not needed", command_id="c")

    assert [
        e.StopRequested(reason="not needed", command_id="c"),
        e.TaskStopped(fence=0, step=0, answers=2),
    ] == events


def test_a_paused_task_whose_runner_is_gone_is_stopped_at_once() -> None:
    task = given(*PAUSED, e.RunnerLost(runner="r1", attempt=1))

    events = decide.stop(task)

    assert [e.StopRequested(), e.TaskStopped(fence=2, step=0, answers=7)] == events


def test_a_task_paused_before_it_started_is_not_claimed_until_it_is_resumed() -> None:
    paused = given(CREATED, e.PauseRequested())

    resumed = fold(decide.resume(paused), paused)

    assert State.PAUSED is paused.state
    with pytest.raises(NotAllowed):
        decide.claim(paused, runner="r1")
    assert [CLAIMED] == decide.claim(resumed, runner="r1")


def test_a_pause_retried_after_a_resume_does_not_pause_again() -> None:
    paused = given(*RUNNING, e.PauseRequested(command_id="c1"), e.TaskPaused(fence=2, step=0, answers=4))

    resumed = fold([e.ResumeRequested(command_id="c2"), e.TaskResumed(fence=2, step=0, answers=6)], paused)

    assert [] == decide.pause(resumed, command_id="c1")
    assert [e.PauseRequested(command_id="c3")] == decide.pause(resumed, command_id="c3")


def test_only_the_last_commands_are_remembered() -> None:
    task = given(*RUNNING)

    for number in range(100):
        task = evolve(task, e.PauseRequested(command_id=str(number)))

    assert tuple(str(number) for number in range(36, 100)) == task.commands


def test_after_a_stop_was_asked_for_no_step_and_no_act_begins() -> None:
    task = given(*RUNNING, e.StopRequested())

    with pytest.raises(NotAllowed, match=r"^StepStarted is not allowed when a task is stopping\.$"):
        decide.record(task, STEP)
    with pytest.raises(NotAllowed, match=r"^ActionStarted is not allowed when a task is stopping\.$"):
        decide.record(task, ACT)


def test_a_step_under_way_when_the_pause_landed_is_still_a_fact() -> None:
    task = given(*RUNNING, STEP, ACT, e.PauseRequested())

    events = decide.record(task, ACTED, TAKEN)

    assert [ACTED, TAKEN] == events


def test_a_stop_that_meets_a_finishing_step_loses_honestly() -> None:
    task = given(*RUNNING, e.StopRequested())

    finished = fold(decide.record(task, e.TaskFinished(fence=2, success=True)), task)

    assert State.FINISHED is finished.state
    assert [] == decide.stopped(finished, fence=2)


def test_facts_under_an_old_fence_are_refused() -> None:
    task = given(*RUNNING, e.RunnerLost(runner="r1", attempt=1), e.TaskRequeued(attempt=1))
    again = fold([e.TaskClaimed(runner="r2", attempt=2)], task)

    with pytest.raises(Fenced):
        decide.record(again, STEP)
    with pytest.raises(Fenced):
        decide.record(task, STEP)


def test_facts_are_written_all_or_none() -> None:
    task = given(*RUNNING)

    with pytest.raises(NotAllowed):
        decide.record(task, STEP, ACT, e.TaskCreated(**{f: getattr(CREATED, f) for f in CREATED.__struct_fields__}))


def test_a_lost_runner_leaves_the_act_in_doubt_by_name_and_the_task_in_the_queue() -> None:
    task = given(*RUNNING, STEP, ACT)

    events = decide.lose(task, runner="r1")

    assert [
        e.StepInterrupted(fence=2, number=1, cause="crash", uncertain=(0,)),
        e.RunnerLost(runner="r1", attempt=1),
        e.TaskRequeued(attempt=1, reason="crash"),
    ] == events
    assert State.QUEUED is fold(events, task).state


def test_looking_leaves_nobody_in_doubt() -> None:
    look = e.ActionStarted(fence=2, step=1, index=0, name="extract", params="{}", effect="look")
    task = given(*RUNNING, STEP, look)

    events = decide.interrupt(task, fence=2, cause="pause")

    assert [e.StepInterrupted(fence=2, number=1, cause="pause")] == events


def test_what_was_asked_of_a_lost_runner_takes_effect() -> None:
    pausing = given(*RUNNING, e.PauseRequested())
    stopping = given(*RUNNING, e.StopRequested())

    assert State.PAUSED is fold(decide.lose(pausing, runner="r1"), pausing).state
    assert State.STOPPED is fold(decide.lose(stopping, runner="r1"), stopping).state


def test_a_task_paused_under_a_lost_runner_stays_paused_and_is_claimed_once_resumed() -> None:
    paused = given(*PAUSED)

    lost = fold(decide.lose(paused, runner="r1"), paused)
    resumed = fold(decide.resume(lost), lost)

    assert State.PAUSED is lost.state
    assert State.RESUMING is resumed.state
    assert [e.TaskClaimed(runner="r2", attempt=2)] == decide.claim(resumed, runner="r2")


LOST = (CLAIMED, e.RunnerLost(runner="r1", attempt=1), e.TaskRequeued(attempt=1))


def test_a_task_that_is_lost_three_times_without_a_step_fails_by_name() -> None:
    task = given(CREATED, *LOST, *LOST, CLAIMED, STARTED, STEP, ACT)

    events = decide.lose(task, runner="r1")

    message = (
        "The runner or its browser was lost 3 times in a row without a step taken in between, the last time in step 1, "
        "while {} was under way (crash); the task is not taken up again."
    )
    assert [
        e.StepInterrupted(fence=8, number=1, cause="crash", uncertain=(0,)),
        e.RunnerLost(runner="r1", attempt=1),
        e.TaskFailed(fence=8, code="runner_lost", message=message),
    ] == events
    assert State.FAILED is fold(events, task).state


@pytest.mark.parametrize("cause", sorted(decide.LOST_BROWSER))
def test_a_task_whose_browser_is_lost_too_often_fails_with_that_code(cause: str) -> None:
    task = given(*RUNNING)

    *_, failed = decide.lose(task, runner="r1", cause=cause, max_attempts=1)

    message = (
        "The runner or its browser was lost once without a step taken in between, the last time at its start "
        f"({cause}); the task is not taken up again."
    )
    assert e.TaskFailed(fence=2, code=cause, message=message) == failed


def test_a_step_taken_begins_the_count_of_lost_attempts_anew() -> None:
    task = given(CREATED, *LOST, *LOST, CLAIMED, STARTED, STEP, TAKEN)

    assert [e.RunnerLost(runner="r1", attempt=1), e.TaskRequeued(attempt=1, reason="crash")] == decide.lose(
        task, runner="r1"
    )


@pytest.mark.parametrize("cause", sorted(EXCUSED))
def test_an_excused_loss_is_no_lost_attempt(cause: str) -> None:
    task = given(CREATED, *LOST, *LOST, *RUNNING[1:])

    events = decide.lose(task, runner="r1", cause=cause)

    assert [e.RunnerLost(runner="r1", attempt=1, cause=cause), e.TaskRequeued(attempt=1, reason=cause)] == events
    assert 2 == task.lost == fold(events, task).lost


def test_a_task_is_not_given_up_while_it_is_paused_or_to_be_paused_or_stopped() -> None:
    pausing = given(CREATED, *LOST, *LOST, *RUNNING[1:], e.PauseRequested())
    stopping = given(CREATED, *LOST, *LOST, *RUNNING[1:], e.StopRequested())
    paused = given(CREATED, *LOST, *LOST, *PAUSED[1:])

    states = [fold(decide.lose(task, runner="r1"), task).state for task in (pausing, stopping, paused)]

    assert [State.PAUSED, State.STOPPED, State.PAUSED] == states
    assert 2 == fold(decide.lose(paused, runner="r1"), paused).lost


def test_the_same_request_again_is_the_same_task_and_another_is_refused() -> None:
    task = given(CREATED)

    assert [] == decide.create(task, CREATED)
    with pytest.raises(Invalid, match="used for another request"):
        decide.create(
            task,
            e.TaskCreated(
                instruction="x", llm="instructions", session="s", project="p", family="v1", request_digest="other"
            ),
        )


# --- people: what they are asked, and what they do with the browser ---------------------------------------------

SEEN_WITH_PEOPLE = {
    "asking": State.PAUSED,
    "asking, and to be paused": State.PAUSED,
    "asking, and to be stopped": State.STOPPING,
    "asking, and run by nobody": State.PAUSED,
    "answered": State.RESUMING,
    "answered, and run by nobody": State.RESUMING,
    "expired": State.RESUMING,
    "resumed without an answer": State.RESUMING,
    "taken over": State.PAUSED,
    "taken over, and to be stopped": State.STOPPING,
    "taken over, and its browser lost": State.PAUSED,
    "taken over while asking": State.PAUSED,
    "taken over while asking, and answered": State.PAUSED,
    "failed while taken over": State.FAILED,
    "stopped while asking": State.STOPPED,
}
MET: dict[str, dict[str, str]] = {
    # what is new (in words), `` for what is so already, None for a refusal; by intention, then by history
    "pause": {
        "asking": "pause_requested", "asking, and to be paused": "", "asking, and to be stopped": "no",
        "asking, and run by nobody": "pause_requested", "answered": "pause_requested",
        "answered, and run by nobody": "pause_requested", "expired": "pause_requested",
        "resumed without an answer": "pause_requested", "taken over": "", "taken over, and to be stopped": "no",
        "taken over, and its browser lost": "", "taken over while asking": "pause_requested",
        "taken over while asking, and answered": "pause_requested", "failed while taken over": "no",
        "stopped while asking": "no",
    },
    "resume": {
        "asking": "resume_requested", "asking, and to be paused": "resume_requested",
        "asking, and to be stopped": "no", "asking, and run by nobody": "resume_requested", "answered": "",
        "answered, and run by nobody": "", "expired": "", "resumed without an answer": "",
        "taken over": "control_returned resume_requested", "taken over, and to be stopped": "no",
        "taken over, and its browser lost": "resume_requested",
        "taken over while asking": "control_returned resume_requested",
        "taken over while asking, and answered": "control_returned resume_requested", "failed while taken over": "no",
        "stopped while asking": "no",
    },
    "stop": {
        "asking": "stop_requested", "asking, and to be paused": "stop_requested", "asking, and to be stopped": "",
        "asking, and run by nobody": "stop_requested stopped", "answered": "stop_requested",
        "answered, and run by nobody": "stop_requested stopped", "expired": "stop_requested",
        "resumed without an answer": "stop_requested", "taken over": "control_returned stop_requested",
        "taken over, and to be stopped": "", "taken over, and its browser lost": "stop_requested stopped",
        "taken over while asking": "control_returned stop_requested",
        "taken over while asking, and answered": "control_returned stop_requested", "failed while taken over": "",
        "stopped while asking": "",
    },
    "claim": {"answered, and run by nobody": "claimed"},
    "provide": {
        **dict.fromkeys(
            ("asking", "asking, and to be paused", "asking, and run by nobody", "taken over while asking"),
            "input_provided",
        ),
    },
    "expire": {
        **dict.fromkeys(WITH_PEOPLE, ""),
        **dict.fromkeys(
            ("asking", "asking, and to be paused", "asking, and run by nobody", "taken over while asking"),
            "input_expired",
        ),
    },
    "take": {
        **dict.fromkeys(("asking", "asking, and to be paused"), "control_taken"),
        **dict.fromkeys(
            ("taken over", "taken over while asking", "taken over while asking, and answered"), ""
        ),
    },
    "return": {
        **dict.fromkeys(WITH_PEOPLE, ""),
        **dict.fromkeys(
            ("taken over", "taken over while asking", "taken over while asking, and answered"), "control_returned"
        ),
    },
    "unpark": {
        **dict.fromkeys(WITH_PEOPLE, ""),
        **dict.fromkeys(("answered", "expired", "resumed without an answer"), "resumed"),
        **dict.fromkeys(("answered, and run by nobody",), "no"),
    },
}  # fmt: skip


def test_every_history_with_people_is_seen_as_it_should_be() -> None:
    assert SEEN_WITH_PEOPLE == {name: given(*events).state for name, events in WITH_PEOPLE.items()}


@pytest.mark.parametrize("intention", MET)
@pytest.mark.parametrize("history", WITH_PEOPLE)
def test_every_intention_meets_what_it_should_while_people_have_a_part(history: str, intention: str) -> None:
    try:
        events = INTENDED[intention](given(*WITH_PEOPLE[history]))
        met = " ".join(type_of(event).removeprefix("task.") for event in events)
    except Refused:
        met = "no"

    assert MET[intention].get(history, "no") == met


def test_what_a_person_does_is_a_fact_only_while_he_has_control() -> None:
    assert [BY_HAND] == decide.human_acted(given(*TAKEN_OVER), BY_HAND)
    for history in (PAUSED, ASKING, (*TAKEN_OVER, e.ControlReturned()), (*TAKEN_OVER, LOST_NOW)):
        with pytest.raises(NotAllowed, match=r"^Nobody has control of this task's browser\.$"):
            decide.human_acted(given(*history), BY_HAND)


def test_who_would_take_over_a_task_without_its_browser_is_told_how_it_comes_back() -> None:
    gone = "Its browser was given back, after a long pause or with the runner; resume it"
    for history, told in (
        ((*PAUSED, LOST_NOW), f"{gone}, and it is opened again."),
        ((*ASKING, LOST_NOW), f"{gone}: its browser is opened again and the question asked anew, then take control."),
    ):
        with pytest.raises(NotAllowed) as refused:
            decide.take_control(given(*history))
        assert told == str(refused.value)


def test_a_question_that_was_asked_once_is_not_asked_again() -> None:
    for history in ("asking", "answered", "expired", "resumed without an answer"):
        assert [] == decide.ask(given(*WITH_PEOPLE[history]), QUESTION)


@pytest.mark.parametrize(
    ("history", "intention", "met"),
    [
        ("used up", "exhaust", ""),
        ("used up", "unpark", ""),
        ("used up", "claim", "no"),
        ("used up", "resume", "resume_requested"),
        ("used up", "pause", "pause_requested"),
        ("used up", "stop", "stop_requested"),
        ("used up", "take", "control_taken"),
        ("used up, and to be paused", "pause", ""),
        ("used up, and to be paused", "unpark", ""),
        ("used up, and to be paused", "resume", "resume_requested"),
        ("used up, and to be stopped", "stopped", "stopped"),
        ("used up, and run by nobody", "claim", "no"),
        ("used up, and run by nobody", "take", "no"),
        ("used up, and run by nobody", "stop", "stop_requested stopped"),
        ("used up, and resumed", "unpark", "resumed"),
        ("used up, and resumed", "exhaust", "no"),
        ("used up, and taken over", "resume", "control_returned resume_requested"),
        ("used up, and taken over", "unpark", ""),
        ("used up, taken over and given back", "unpark", ""),
        ("used up, taken over and given back", "resume", "resume_requested"),
    ],
)
def test_every_intention_meets_what_it_should_while_a_limit_holds_the_task(
    history: str, intention: str, met: str
) -> None:
    try:
        events = INTENDED[intention](given(*WITH_LIMITS[history]))
        found = " ".join(type_of(event).removeprefix("task.") for event in events)
    except Refused:
        found = "no"

    assert met == found


def test_a_limit_parks_a_task_that_runs_and_that_nobody_has_asked_anything_of() -> None:
    paused = e.TaskPaused(fence=2, step=0, cause="budget", limit="max_tokens")

    assert [paused] == decide.exhaust(given(*RUNNING), fence=2, limit="max_tokens")
    for state in (State.CLAIMED, State.PAUSING, State.PAUSED, State.RESUMING, State.STOPPING):
        with pytest.raises(NotAllowed, match=r"^Another request has come first\.$"):
            decide.exhaust(given(*HISTORIES[state]), fence=2)
    for fence, state in ((1, State.RUNNING), (2, State.QUEUED)):
        with pytest.raises(Fenced):
            decide.exhaust(given(*HISTORIES[state]), fence=fence)


def test_a_task_that_ended_is_parked_by_no_limit() -> None:
    for state in (State.FINISHED, State.FAILED, State.STOPPED):
        with pytest.raises(Refused):
            decide.exhaust(given(*HISTORIES[state]), fence=2)


def test_an_answer_to_another_question_is_refused() -> None:
    for request in ("q2", ""):
        with pytest.raises(NotAllowed, match=r"^This question waits for no answer \(any more\)\.$"):
            decide.provide(given(*ASKING), request=request)
    with pytest.raises(NotAllowed):
        decide.provide(given(*RUNNING), request="")


def test_a_task_that_was_paused_while_it_asked_stays_paused_when_it_is_answered() -> None:
    asked = given(*ASKING)

    answered = fold([*decide.pause(asked), e.InputProvided(request="q1")], asked)

    assert State.PAUSED is answered.state
    assert [] == decide.unpark(answered, fence=2)


def test_a_recording_may_come_after_the_end_of_its_own_attempt() -> None:
    ended = given(*HISTORIES[State.FINISHED])
    saved = e.RecordingSaved(fence=2, file=e.File(id="f", name="r.webm", blob="ab", size=1))

    assert [saved] == decide.recorded(ended, saved)
    assert ended.phase is fold([saved], ended).phase
    assert [] == decide.recorded(fold([saved], ended), saved)
    with pytest.raises(Fenced):
        decide.recorded(ended, e.RecordingSaved(fence=1, file=saved.file))


def test_a_recording_that_was_saved_is_saved_once() -> None:
    running = given(*HISTORIES[State.RUNNING])
    first = e.RecordingSaved(fence=running.fence, file=e.File(id="f", name="r.webm", blob="ab", size=1))
    second = e.RecordingSaved(fence=running.fence, file=e.File(id="g", name="s.webm", blob="ab", size=1))

    once = fold(decide.recorded(running, first), running)

    assert [] == decide.recorded(once, first)
    assert [second] == decide.recorded(once, second)


ANY_EVENT = st.sampled_from(
    [event for history in ALL_HISTORIES.values() for event in history]
    + [STEP, ACT, ACTED, TAKEN, e.TaskResumed(fence=2, step=0), e.RunnerLost(runner="r1", attempt=1)]
    + [e.TaskRequeued(attempt=1), e.StepInterrupted(fence=2, number=1, cause="crash"), e.Unknown(original="later")]
)


@generated(st.lists(ANY_EVENT, max_size=30))
@settings(max_examples=500, deadline=None)
def test_the_fold_never_fails_on_any_history_and_counts_it(events: list[e.Event]) -> None:
    task = fold(events)

    assert len(events) == task.version


@generated(st.lists(ANY_EVENT, max_size=30), st.lists(ANY_EVENT, max_size=10))
@settings(max_examples=500, deadline=None)
def test_what_has_ended_stays_as_it_ended(events: list[e.Event], later: list[e.Event]) -> None:
    task = fold(events)

    after = fold(later, task)

    if task.ended:
        assert (task.phase, task.desired, task.step) == (after.phase, after.desired, after.step)


@generated(st.lists(st.sampled_from(sorted(INTENDED)), max_size=40))
@settings(max_examples=500, deadline=None)
def test_whatever_is_intended_in_whatever_order_the_rules_hold(names: list[str]) -> None:
    task, begun_while_unwanted = Task(), 0

    for name in names:
        try:
            events = INTENDED[name](task)
        except Refused:
            continue
        for event in events:
            if isinstance(event, e.StepStarted | e.ActionStarted) and task.desired is not Desired.RUN:
                begun_while_unwanted += 1
            assert not task.ended, "nothing follows the end"
            begins = isinstance(event, e.StepStarted | e.ActionStarted | e.TaskResumed | e.TaskClaimed)
            assert not (begins and (task.controlled or task.asking)), "nothing begins while a person has a part"
            task = evolve(task, event)

    assert 0 == begun_while_unwanted
    assert task.phase in Phase
