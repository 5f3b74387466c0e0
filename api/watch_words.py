"""What the live page and the service say to each other over the web socket: JSON, every message with a `type`."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from api.acts import said
from api.present import ended
from eventstore.human import HumanInput
from projections.step_row import StepRow
from projections.task_row import TaskRow

MOST_TEXT = 2_000
"""Characters of one text; who wants more asks the API."""

LARGEST_MESSAGE = 64 * 1024

# --- from the page ----------------------------------------------------------------------------------------------


class Steer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="steer"):
    """A button: `take` is to take control of the browser, `return` to give it back."""

    what: Literal["pause", "resume", "stop", "take", "return"]


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="answer"):
    """What the task asked for. `request` is the id of its question."""

    request: Annotated[str, Meta(max_length=100)]
    value: Annotated[str, Meta(max_length=10_000)]


class Hand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="hand"):
    """One input of the person who has control. `number` comes back when it is done."""

    number: Annotated[int, Meta(ge=0, le=2**31)]
    input: HumanInput


Said: TypeAlias = Steer | Answer | Hand

# --- to the page ------------------------------------------------------------------------------------------------


class Question(msgspec.Struct, frozen=True, kw_only=True):
    request: str
    kind: str
    prompt: str


class Told(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="task"):
    """How the task stands. `right` is that of the link, `driving` tells that this page has control.

    `screenshot` and `recordings` are paths below the service's root, of an ended task. `browser` tells that it is no
    task but a browser that a client drives: one may watch, and stop it.
    """

    id: str
    state: str
    instruction: str
    right: str
    controlled: bool
    driving: bool
    ended: bool
    question: Question | None
    output: str
    error: str
    screenshot: str
    recordings: Sequence[str]
    browser: bool = False


class Sight(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="sight"):
    """Whether there is a browser to be seen: pictures follow, or none do."""

    live: bool


class StepTold(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    url: str
    goal: str
    acts: Sequence[str]
    errors: Sequence[str]
    interrupted: str
    ended: bool


class Steps(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="steps"):
    """The steps from that place on, in place of those that the page had there; `task` is whose they are."""

    task: str
    place: int
    steps: Sequence[StepTold]


class Done(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="done"):
    """The input of that number was done, or there was a `problem`. `url` is where the page is, where that is known."""

    number: int
    url: str = ""
    problem: str = ""


class Problem(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="problem"):
    """What was said could not be done, in a sentence."""

    text: str


class Over(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="over"):
    """Nothing follows, and why; there is no use in coming back."""

    text: str


Word: TypeAlias = Told | Sight | Steps | Done | Problem | Over


def told(row: TaskRow, *, right: str, driving: bool, screenshot: str, recordings: Sequence[str]) -> Told:
    """How the task stands, for one page."""
    asked = row.question
    return Told(
        id=row.id,
        state=row.state.value,
        instruction=row.instruction[:MOST_TEXT],
        right=right,
        controlled=row.controlled,
        driving=driving,
        ended=row.ended_at is not None,
        question=Question(request=asked.request, kind=asked.kind, prompt=asked.prompt[:MOST_TEXT]) if asked else None,
        output=row.output[:MOST_TEXT],
        error=row.error_message[:MOST_TEXT],
        screenshot=screenshot,
        recordings=recordings,
    )


def step(row: StepRow) -> StepTold:
    """A step, for the page."""
    return StepTold(
        number=row.number,
        url=row.url[:MOST_TEXT],
        goal=row.next_goal[:MOST_TEXT],
        acts=[said(action) for action in row.actions],
        errors=[error[:MOST_TEXT] for error in row.errors],
        interrupted=row.interrupted,
        ended=bool(ended([row])),
    )


def frame(data: bytes, width: int, height: int) -> bytes:
    """A picture as one binary message: width and height of the viewport, two bytes each, then JPEG or PNG."""
    return min(width, 65535).to_bytes(2) + min(height, 65535).to_bytes(2) + data
