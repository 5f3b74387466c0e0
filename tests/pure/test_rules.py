"""Each rule is broken once, by the smallest tape that breaks it; whatever the decisions write breaks none."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventstore import events as e
from eventstore.memory import MemoryStore
from eventstore.rules import RULES, Violation, violations
from eventstore.store import Recorded
from tests.machine import play
from tests.pure.test_model import InMemory, at_once

CREATED = e.TaskCreated(
    instruction="", llm="", session="s", project="p", family="v1", request_digest="d", secrets=("password",)
)
CLAIMED = (CREATED, e.TaskClaimed(runner="r1", attempt=1))
STARTED = (*CLAIMED, e.TaskStarted(fence=2, browser="b", viewport_width=1, viewport_height=1))
STEP = e.StepStarted(fence=2, number=1)
ACT = e.ActionStarted(fence=2, step=1, index=0, name="click", params="{}", effect="lasting")
ACTED = e.ActionEnded(fence=2, step=1, index=0, ok=True)
TAKEN = e.StepTaken(fence=2, number=1)
PAUSE, RESUME, STOP = e.PauseRequested(command_id="p"), e.ResumeRequested(command_id="r"), e.StopRequested()
FINISHED = e.TaskFinished(fence=2, success=True)
LOST = e.RunnerLost(runner="r1", attempt=1)
PAUSED = (*STARTED, PAUSE, e.TaskPaused(fence=2, step=0, answers=4))
ASKED = (
    *STARTED,
    e.InputRequested(fence=2, step=0, request="q1", kind="code", prompt="Which?", seconds=60.0),
    e.TaskPaused(fence=2, step=0, cause="input"),
)
BY_HAND = e.HumanActed(fence=2, name="click", params="{}")

BREACHES: dict[str, tuple[Sequence[e.Event], str, str]] = {
    "no creation": ([PAUSE], "created", "task.pause_requested comes before the task is created"),
    "two creations": ([CREATED, CREATED], "created", "it is created twice"),
    "a fact after the end": (
        [*STARTED, FINISHED, STOP],
        "absorbing",
        "task.stop_requested follows the end of the task",
    ),
    "a second end": (
        [*STARTED, FINISHED, e.TaskFailed(fence=2, code="c", message="m")],
        "one_end",
        "task.failed follows the end of the task",
    ),
    "a claim in a pause": ([CREATED, PAUSE, CLAIMED[1]], "rest", "task.claimed while a pause is wanted"),
    "a step in a pause": ([*STARTED, PAUSE, STEP], "rest", "task.step_started while a pause is wanted"),
    "a step after a stop": ([*STARTED, STOP, STEP], "rest", "task.step_started while a stop is wanted"),
    "an act in a pause": ([*STARTED, STEP, PAUSE, ACT], "rest", "task.action_started while a pause is wanted"),
    "a pause unasked": (
        [*STARTED, e.TaskPaused(fence=2, step=0)],
        "asked",
        "task.paused answers 0 while run is wanted since 0",
    ),
    "a stop that answers another request": (
        [CREATED, PAUSE, STOP, e.TaskStopped(fence=0, step=0, answers=2)],
        "asked",
        "task.stopped answers 2 while stop is wanted since 3",
    ),
    "a resume unpaused": ([CREATED, RESUME], "requests", "task.resume_requested while run is wanted"),
    "a pause after a stop": ([CREATED, STOP, PAUSE], "requests", "task.pause_requested while stop is wanted"),
    "a command twice": ([CREATED, PAUSE, RESUME, PAUSE], "commands", "the command p took effect before"),
    "a claim of what is held": (
        [*CLAIMED, e.TaskClaimed(runner="r2", attempt=2)],
        "claim",
        "it is claimed while r1 holds it",
    ),
    "an attempt left out": ([CREATED, e.TaskClaimed(runner="r1", attempt=2)], "claim", "attempt 2 follows attempt 0"),
    "a fact of nobody": ([*STARTED, LOST, STEP], "holder", "task.step_started while no runner holds the task"),
    "the loss of another": (
        [*CLAIMED, e.RunnerLost(runner="r2", attempt=1)],
        "holder",
        "the loss of r2 in attempt 1 is told, while r1 holds the task",
    ),
    "a fact of a fenced runner": (
        [*STARTED, msgspec.structs.replace(STEP, fence=1)],
        "fence",
        "task.step_started carries the fence 1; the last claim has 2",
    ),
    "a step before the start": ([*CLAIMED, STEP], "at_work", "task.step_started while the task is claimed"),
    "an act's end while paused": (
        [*STARTED, STEP, ACT, PAUSE, e.TaskPaused(fence=2, step=1), ACTED],
        "at_work",
        "task.action_ended while the task is paused",
    ),
    "resumed unpaused": ([*STARTED, e.TaskResumed(fence=2, step=0)], "resumed", "it was not paused"),
    "a step twice": ([*STARTED, STEP, TAKEN, STEP], "steps", "step 1 begins, and step 1 is taken already"),
    "two steps at once": (
        [*STARTED, STEP, msgspec.structs.replace(STEP, number=2)],
        "steps",
        "a step begins while another one is under way",
    ),
    "another step's end": (
        [*STARTED, STEP, msgspec.structs.replace(TAKEN, number=2)],
        "steps",
        "step 2 ends, and step 1 is under way",
    ),
    "an end of no step": ([*STARTED, TAKEN], "steps", "a step ends, and none is under way"),
    "an act's end without a start": ([*STARTED, STEP, ACTED], "acts", "an act ends, and none is under way"),
    "an act outside a step": ([*STARTED, ACT], "acts", "an act begins outside a step"),
    "two acts at once": ([*STARTED, STEP, ACT, ACT], "acts", "an act begins while another one is under way"),
    "another act's end": (
        [*STARTED, STEP, ACT, msgspec.structs.replace(ACTED, index=1)],
        "acts",
        "act 1 of step 1 ends, and (1, 0) is under way",
    ),
    "a step taken in an act": (
        [*STARTED, STEP, ACT, TAKEN],
        "acts",
        "the step is taken while an act of it is under way",
    ),
    "a secret that was not named": (
        [*STARTED, STEP, e.SecretUsed(fence=2, step=1, index=0, name="pin", host="h")],
        "secrets",
        "pin is not among the task's secrets",
    ),
    "an act by hand without control": ([*PAUSED, BY_HAND], "control", "task.human_acted, and nobody has control"),
    "control given back twice": (
        [*PAUSED, e.ControlTaken(), e.ControlReturned(), e.ControlReturned()],
        "control",
        "task.control_returned, and nobody has control",
    ),
    "a running task taken over": ([*STARTED, e.ControlTaken()], "control", "it is taken over while it is running"),
    "control taken twice": ([*PAUSED, e.ControlTaken(), e.ControlTaken()], "control", "it is taken over twice"),
    "resumed under control": (
        [*PAUSED, e.ControlTaken(), RESUME, e.TaskResumed(fence=2, step=0)],
        "control",
        "task.resumed while a person has control",
    ),
    "resumed with a question open": (
        [*ASKED, e.TaskResumed(fence=2, step=0)],
        "questions",
        "task.resumed while a question waits for its answer",
    ),
    "an answer to another question": (
        [*ASKED, e.InputProvided(request="q2")],
        "questions",
        "the question q2 is closed, and q1 waits for its answer",
    ),
    "an answer to nothing": (
        [*ASKED, e.InputProvided(request="q1"), e.InputExpired(fence=2, request="q1")],
        "questions",
        "task.input_expired, and no question waits",
    ),
    "a question that was answered before as a secret": (
        [*ASKED, e.InputProvided(request="q1"), e.SecretUsed(fence=2, step=0, index=0, name="answer 2", host="h")],
        "secrets",
        "answer 2 is not among the task's secrets",
    ),
}


def tape(*streams: tuple[str, Sequence[e.Event]]) -> list[Recorded]:
    store = MemoryStore()
    for stream, events in streams:
        at_once(store.append(stream, 0, events, actor="test"))
    return list(at_once(store.read()))


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_named_where_it_is(breach: str) -> None:
    events, rule, sentence = BREACHES[breach]

    found = violations(tape(("key-1", [e.KeyCreated(digest="", project="p")]), ("task-1", events)))

    position = 1 + len(events)
    assert [Violation(position=position, stream="task-1", rule=rule, sentence=sentence)] == found


def test_a_tape_with_a_gap_or_a_time_that_goes_back_is_named() -> None:
    one, two, three = tape(("task-1", [CREATED, PAUSE, RESUME]))

    gap = violations([one, three])
    back = violations([one, msgspec.structs.replace(two, at=one.at), three])

    assert [
        (3, "dense", "position 3 follows 1"),
        (3, "dense", "version 3 stands where 2 should"),
        (3, "requests", "task.resume_requested while run is wanted"),
    ] == [(each.position, each.rule, each.sentence) for each in gap]
    assert [(2, "time")] == [(each.position, each.rule) for each in back]


def test_a_command_decided_again_later_is_named() -> None:
    store = MemoryStore()
    for version, (event, command) in enumerate([(CREATED, ""), (PAUSE, "x"), (RESUME, "y"), (STOP, "x")]):
        at_once(store.append("task-1", version, [event], actor="key:1", command_id=command))

    found = violations(at_once(store.read()))

    assert [(4, "commands", "the command x was decided before")] == [
        (each.position, each.rule, each.sentence) for each in found
    ]


def test_every_rule_has_a_tape_that_breaks_it() -> None:
    assert set(RULES) == {"dense", "time"} | {rule for _, rule, _ in BREACHES.values()}


def test_what_people_answer_and_do_in_their_time_breaks_nothing() -> None:
    answered = [*ASKED, e.ControlTaken(), BY_HAND, e.InputProvided(request="q1"), e.ControlReturned()]
    used = e.SecretUsed(fence=2, step=0, index=0, name="answer", host="h")

    assert [] == violations(tape(("task-1", [*answered, e.TaskResumed(fence=2, step=0), used])))


def test_removals_may_follow_the_end_and_what_is_newer_breaks_nothing() -> None:
    removals = [
        e.RecordingSaved(fence=2, file=e.File(id="f", name="r.webm", blob="ab", size=1)),
        e.BlobsRemoved(kind="screenshots", blobs=("ab",)),
        e.TaskRedacted(project="p", request_digest="d", events=5),
        e.TaskDeleted(),
        e.Unknown(original="task.of_the_future"),
    ]

    assert [] == violations(tape(("task-1", [*STARTED, FINISHED, *removals]), ("system", [e.KeyRevoked()])))


@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(program=st.binary(min_size=30, max_size=90), blanked=st.integers(0, 2**60))
def test_what_the_decisions_wrote_breaks_no_rule_whatever_of_it_is_redacted(program: bytes, blanked: int) -> None:
    machine = InMemory()
    play(machine, program)
    written = list(at_once(machine.store.read()))

    redacted = [
        msgspec.structs.replace(each, payload=None, salt=None, event=e.Unknown(original=each.type))
        if blanked >> each.position & 1
        else each
        for each in written
    ]

    assert ([], []) == (violations(written), violations(redacted))
