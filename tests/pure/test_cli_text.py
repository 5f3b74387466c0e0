"""What the command line says of events, times and progress."""

import pytest

from api import gists, text
from api.live import BAD, OK, QUIET, Line, Progress, advance
from eventstore import events as e
from eventstore.codec import TYPES

TASK = "task-019a0000-1234-7abc-8def-000000000001"
AT = 1_767_225_723_456_789
FILE = e.File(id="f", name="a.csv", blob="d", size=12)
SCHEDULE = e.ScheduleCreated(
    project="p",
    family="v1",
    task=e.TaskCreated(instruction="Look", llm="instructions", session="", project="p", family="v1", request_digest=""),
    kind="interval",
    start_at=0,
    end_at=1,
    interval_minutes=5,
)
TOUCHING = e.Target(selector="css=#login", role="button", name="Log in")

SAID: list[tuple[e.Event, str]] = [
    (
        e.TaskCreated(
            instruction="open\nthe   shop", llm="instructions", session="s", project="p", family="v2", request_digest=""
        ),
        "open the shop",
    ),
    (e.PauseRequested(reason="to look"), "to look"),
    (e.ResumeRequested(), ""),
    (e.StopRequested(reason="enough"), "enough"),
    (e.TaskClaimed(runner="r1", attempt=2), "by r1, attempt 2"),
    (
        e.TaskStarted(
            fence=2,
            browser="Chromium 1",
            viewport_width=1280,
            viewport_height=960,
            restored=("cookies",),
            lost=("the page",),
        ),
        "Chromium 1, 1280x960; restored cookies; lost the page",
    ),
    (e.StepStarted(fence=2, number=3), "step 3"),
    (
        e.ActionStarted(fence=2, step=3, index=0, name="click", params="{}", effect="lasting", target=TOUCHING),
        'step 3.0: click button "Log in"',
    ),
    (
        e.ActionEnded(fence=2, step=3, index=0, ok=False, error="No such button.", duration_ms=85),
        "step 3.0: failed: No such button. (85 ms)",
    ),
    (
        e.StepTaken(fence=2, number=3, url="http://a.test/", next_goal='click "Log in"', duration_ms=1_240),
        'step 3: click "Log in" (1.2 s)  http://a.test/',
    ),
    (e.StepInterrupted(fence=2, number=3, cause="pause", uncertain=(0, 1)), "step 3: pause; uncertain acts: 0, 1"),
    (e.TaskPaused(fence=2, step=3), "at step 3 (pause)"),
    (e.TaskPaused(fence=2, step=3, cause="budget", limit="max_tokens"), "at step 3 (max_tokens is used up)"),
    (e.TaskResumed(fence=2, step=3), "at step 3"),
    (e.TaskStopped(fence=2, step=3), "at step 3 (stop)"),
    (e.NavigationBlocked(fence=2, url="http://b.test/", reason="not allowed"), "http://b.test/: not allowed"),
    (
        e.CostRecorded(fence=2, step=3, purpose="step", usage=e.Usage(model="m", input_tokens=9, cost_usd="0.02")),
        "step: m, 9 + 0 tokens, 0.02 USD (0 ms)",
    ),
    (
        e.CostRecorded(fence=2, step=3, purpose="judge", usage=e.Usage(model="m", output_tokens=4), duration_ms=85),
        "judge: m, 0 + 4 tokens (85 ms)",
    ),
    (e.JudgementRecorded(fence=2, model="m", verdict=True, report="{}"), "passed, by m"),
    (e.JudgementRecorded(fence=2, model="m", verdict=None, report="{}"), "no verdict, by m"),
    (e.RunnerLost(runner="r1", attempt=2), "r1, attempt 2 (crash)"),
    (e.TaskRequeued(attempt=3), "attempt 3"),
    (e.TaskFinished(fence=2, success=True, output="42"), "success: 42"),
    (e.TaskFailed(fence=2, code="no_target", message="No such button."), "no_target: No such button."),
    (e.KeyCreated(digest="d", project="default", name="first start"), "first start for project default"),
    (e.BrowserOpened(fence=2, browser="b1"), "b1"),
    (e.SecretUsed(fence=2, step=3, index=0, name="password", host="a.test"), "step 3.0: password for a.test"),
    (
        e.BlobsRemoved(kind="screenshots", blobs=("d",), reason="older than 30 days"),
        "1 screenshots: older than 30 days",
    ),
    (
        e.TaskRedacted(project="default", request_digest="d", events=12, blobs=3, reason="asked for"),
        "12 payloads, 3 blobs: asked for",
    ),
    (e.KeyRevoked(reason="lost"), "lost"),
    (e.TaskDeleted(reason="with its session"), "with its session"),
    (e.FileProduced(fence=2, step=3, file=FILE), "a.csv, 12 bytes"),
    (e.RecordingSaved(fence=2, file=FILE, duration_ms=4_000), "a.csv, 12 bytes, 4.0 s"),
    (
        e.InputRequested(fence=2, step=3, request="q", kind="code", prompt="The code", seconds=600),
        "code: The code (for 10 min 0 s)",
    ),
    (e.InputProvided(request="q"), ""),
    (e.InputExpired(fence=2, request="q"), ""),
    (e.ControlTaken(), ""),
    (e.ControlReturned(reason="resume"), "resume"),
    (e.HumanActed(fence=2, name="click", params='{"x":1}'), 'click {"x":1}'),
    (e.SessionCreated(project="p", family="v2", start_url="https://a.test/"), "agent, kept alive https://a.test/"),
    (e.SessionOpened(runner="r", browser="Chromium 156"), "Chromium 156"),
    (e.SessionClosed(runner="r", cause="idle"), "idle"),
    (e.SessionStopped(reason="asked for"), "stop: asked for"),
    (e.SessionDeleted(reason="asked for"), "asked for"),
    (e.SessionPurged(project="p", events=2, blobs=1), "2 payloads, 1 blobs"),
    (e.SessionShared(share="x"), ""),
    (e.SessionUnshared(share="x"), ""),
    (e.ShareViewed(share="x", views=2), "2 more"),
    (e.FileUploaded(project="p", file=FILE), "a.csv, 12 bytes"),
    (e.FileDownloaded(file=FILE), "a.csv, 12 bytes"),
    (e.FilesRemoved(files=("f",), reason="old"), "1 files: old"),
    (e.ProfileCreated(project="p", family="v1", name="Shop"), "Shop"),
    (e.ProfileChanged(name="Shop", description="", persist=True, settings="{}"), "Shop"),
    (e.ProfileUsed(stream="task-1", version=1), "version 1, by task-1"),
    (e.ProfileSaveFailed(stream="task-1", cause="no_state", message="Lost."), "from task-1: Lost."),
    (e.ProfileSaved(version=2, stream="task-1", cookie_domains=("a.test",)), "version 2, 1 domains, from task-1"),
    (e.ProfileDeleted(), ""),
    (SCHEDULE, "every 5 min: Look"),
    (
        e.ScheduleChanged(task=SCHEDULE.task, kind="cron", start_at=0, end_at=1, cron="0 9 * * 1", active=False),
        "0 9 * * 1, not active: Look",
    ),
    (e.ScheduleRun(due=AT, task="t1"), "due 2026-01-01 00:02:03: t1"),
    (e.ScheduleMissed(due=AT, last=AT, count=3, cause="down"), "3 since 2026-01-01 00:02:03 (down)"),
    (e.ScheduleDeleted(), ""),
    (e.HookCreated(project="p", url="https://a.test/hook"), "https://a.test/hook"),
    (e.HookDelivered(source=7, attempt=1, status=200, duration_ms=35), "event 7, attempt 1: HTTP 200 (35 ms)"),
    (e.HookFailed(source=7, attempt=2, error="HTTP 500"), "event 7, attempt 2: HTTP 500 (given up)"),
    (e.RedeliveryRequested(source=7), "event 7"),
    (e.HookDeleted(), ""),
    (e.OutboxSettled(through=17), "up to event 17"),
    (e.Unknown(original="task.danced"), ""),
]


def test_every_event_has_its_line() -> None:
    assert {*TYPES.values(), e.Unknown} == {type(event) for event, _ in SAID}


@pytest.mark.parametrize(("event", "said"), SAID)
def test_the_gist_of_an_event_is_one_line(event: e.Event, said: str) -> None:
    assert said == gists.gist(event)


def test_a_line_of_the_tape_has_time_position_task_event_and_gist() -> None:
    line = gists.line(7, AT, TASK, e.StepStarted(fence=2, number=3))
    expected = "00:02:03.456       7  019a0000-1234  step started      step 3"

    assert expected == line


def test_an_event_of_a_later_version_is_told_by_its_tag() -> None:
    line = gists.line(8, AT, "hook-1", e.Unknown(original="hook.delivered"))
    expected = "00:02:03.456       8  hook-1         hook.delivered"

    assert expected == line


def test_what_a_page_says_cannot_act_on_the_terminal() -> None:
    harmless = "a]0;ownedbcd e"

    assert harmless == text.plain("a\x1b]0;owned\x07b\u202ec\x9bd\r\ne")


def test_long_text_is_cut_to_its_width() -> None:
    cut = "abcd…"

    assert cut == text.plain("abcdefgh", 5)


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(0, "0 ms"), (999, "999 ms"), (1_000, "1.0 s"), (59_940, "59.9 s"), (123_400, "2 min 3 s")],
)
def test_a_duration_is_told_in_the_unit_that_suits_it(milliseconds: int, said: str) -> None:
    assert said == text.duration(milliseconds)


def test_a_task_is_told_by_step_until_its_end() -> None:
    told = tell(
        e.TaskClaimed(runner="r1", attempt=1),
        e.TaskStarted(fence=2, browser="Chromium 1", viewport_width=1280, viewport_height=960),
        e.StepStarted(fence=2, number=1),
        e.ActionStarted(fence=2, step=1, index=0, name="navigate", params="{}", effect="navigation"),
        e.ActionEnded(fence=2, step=1, index=0, ok=True, url="http://a.test/"),
        e.StepTaken(fence=2, number=1, url="http://a.test/", next_goal="open a.test", duration_ms=40),
        e.StepStarted(fence=2, number=2),
        e.ActionStarted(fence=2, step=2, index=0, name="click", params="{}", effect="lasting", target=TOUCHING),
        e.ActionEnded(fence=2, step=2, index=0, ok=False, error="It is covered."),
        e.StepTaken(fence=2, number=2, duration_ms=1_500),
        e.TaskFinished(fence=2, success=False),
    )

    assert [
        Line("started in Chromium 1, 1280x960", QUIET),
        Line("  1  ok        40 ms  open a.test  http://a.test/", OK),
        Line('  2  failed    1.5 s  click button "Log in"  http://a.test/', BAD),
        Line("     It is covered.", BAD),
        Line("finished without success: 2 steps in 9.0 s", BAD),
    ] == told


def test_a_step_that_the_end_cuts_off_is_told_before_it() -> None:
    told = tell(
        e.TaskStarted(fence=2, browser="Chromium 1", viewport_width=1280, viewport_height=960),
        e.StepStarted(fence=2, number=1),
        e.TaskFailed(fence=2, code="step_timeout", message="Step 1 took longer than 180 seconds."),
    )

    assert [
        Line("started in Chromium 1, 1280x960", QUIET),
        Line("  1  failed    1.0 s  ", BAD),
        Line("     not finished", BAD),
        Line("failed (step_timeout) after 0 steps in 2.0 s: Step 1 took longer than 180 seconds.", BAD),
    ] == told


def test_a_pause_a_resume_and_a_stop_are_told() -> None:
    told = tell(
        e.PauseRequested(),
        e.StepInterrupted(fence=2, number=3, cause="pause"),
        e.TaskPaused(fence=2, step=3),
        e.ResumeRequested(),
        e.TaskResumed(fence=2, step=3),
        e.StopRequested(),
        e.TaskStopped(fence=2, step=3),
    )

    assert [
        Line("  3  cut     pause", "yellow"),
        Line("paused at step 3 (pause)", "yellow"),
        Line("resumed at step 3", "yellow"),
        Line("stopped after 0 steps", "yellow"),
    ] == told


def test_a_question_and_hands_are_told_as_they_come() -> None:
    question = e.InputRequested(fence=2, step=1, request="q1", kind="code", prompt="The code\nby SMS", seconds=60.0)
    box = e.Target(selector="", role="textbox", name="Code")
    told = tell(
        question,
        e.TaskPaused(fence=2, step=1, cause="input"),
        e.ControlTaken(),
        e.HumanActed(fence=2, name="type", params='{"text":"x"}', target=box),
        e.InputProvided(request="q1"),
        e.ControlReturned(),
        e.InputExpired(fence=2, request="q2"),
    )

    assert [
        Line("asks for an answer (code): The code by SMS", "yellow"),
        Line("taken over by a person", "yellow"),
        Line('     by hand: type textbox "Code"', QUIET),
        Line("answered", "yellow"),
        Line("control was returned", "yellow"),
        Line("nobody has answered in time", BAD),
    ] == told


@pytest.mark.parametrize("ends", [e.InputProvided(request="q1"), e.ResumeRequested(), e.StopRequested()])
def test_a_question_is_open_until_nobody_waits_any_more(ends: e.Event) -> None:
    question = e.InputRequested(fence=2, step=1, request="q1", kind="text", prompt="Who?", seconds=60.0)

    asked, _ = advance(Progress(), AT, question)
    closed, _ = advance(asked, AT, ends)

    assert question == asked.question
    assert isinstance(ends, e.StopRequested) is (closed.question is not None)


def test_what_a_model_thinks_and_wants_is_told_with_each_step_and_at_the_end_what_it_cost() -> None:
    def cost(dollars: str | None) -> e.CostRecorded:
        usage = e.Usage(model="m", input_tokens=1_000, output_tokens=200, cost_usd=dollars)
        return e.CostRecorded(fence=2, step=1, purpose="step", usage=usage)

    told = tell(
        e.StepStarted(fence=2, number=1),
        cost("0.0120"),
        cost(None),
        cost("none"),
        e.StepTaken(fence=2, number=1, evaluation="The form\nis open.", next_goal="Send it", duration_ms=1_500),
        e.TaskFinished(fence=2, success=True),
    )

    assert [
        Line("     thinks: The form is open.", QUIET),
        Line("  1  ok        1.5 s  Send it", OK),
        Line("finished with success: 1 step, 3,600 tokens ($0.012)", OK),
    ] == told


@pytest.mark.parametrize("event", [event for event, _ in SAID])
def test_every_event_can_be_followed(event: e.Event) -> None:
    progress, lines = advance(Progress(), AT, event)

    assert (Progress, True) == (type(progress), all("\n" not in line.text for line in lines))


def tell(*events: e.Event) -> list[Line]:
    """The lines of progress, one second an event."""
    progress, told = Progress(), list[Line]()
    for number, event in enumerate(events):
        progress, lines = advance(progress, AT + number * 1_000_000, event)
        told += lines
    return told
