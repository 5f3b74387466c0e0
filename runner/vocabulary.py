"""What a model may say: actions, and what they are done to. No Playwright here. As JSON: see `action_json.py`."""

from enum import StrEnum
from typing import ClassVar, TypeAlias

import msgspec


class Effect(StrEnum):
    """How much an act may have changed, which decides what can be done again after a crash.

    LOOK changes nothing; LOCAL changes only the page (typing, selecting, checking, scrolling); NAVIGATION can be had
    again by opening the URL; LASTING (a click, a key, a submit) is never repeated silently.
    """

    LOOK = "look"
    LOCAL = "local"
    NAVIGATION = "navigation"
    LASTING = "lasting"


class Query(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an element is called, in a user's words. It must resolve to exactly one element.

    `text` is literal. `kind` is a word such as button, link, field, checkbox, heading, or empty for any.
    `ordinal` counts from 1 in document order, -1 is the last, 0 means that there may be only one.
    `row`, `within` and `near` narrow: the row, list item or card that holds the text; the region, group, dialog or
    section of that name; the candidate closest to that text. `index` is a reference from an observation, 0 for none.
    """

    text: str = ""
    kind: str = ""
    ordinal: int = 0
    row: str = ""
    within: str = ""
    near: str = ""
    index: int = 0


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act. `effect` and `name` are of the class."""

    name: ClassVar[str]
    effect: ClassVar[Effect]


class Navigate(Action, frozen=True, kw_only=True):
    name: ClassVar[str] = "navigate"
    effect: ClassVar[Effect] = Effect.NAVIGATION
    url: str


class Click(Action, frozen=True, kw_only=True):
    """`button` is left or right; `count` is 1 or 2."""

    name: ClassVar[str] = "click"
    effect: ClassVar[Effect] = Effect.LASTING
    target: Query
    button: str = "left"
    count: int = 1


class Hover(Action, frozen=True, kw_only=True):
    name: ClassVar[str] = "hover"
    effect: ClassVar[Effect] = Effect.LOCAL
    target: Query


class Input(Action, frozen=True, kw_only=True):
    """Type into a field, replacing what is there. Without a target: into the focused element."""

    name: ClassVar[str] = "input"
    effect: ClassVar[Effect] = Effect.LOCAL
    text: str
    target: Query | None = None


class Clear(Action, frozen=True, kw_only=True):
    name: ClassVar[str] = "clear"
    effect: ClassVar[Effect] = Effect.LOCAL
    target: Query


class Select(Action, frozen=True, kw_only=True):
    """Choose an option, by its visible text or its value, in a drop-down."""

    name: ClassVar[str] = "select"
    effect: ClassVar[Effect] = Effect.LOCAL
    option: str
    target: Query


class Check(Action, frozen=True, kw_only=True):
    """Bring a checkbox, switch or radio button to `checked`; nothing happens if it is so already."""

    name: ClassVar[str] = "check"
    effect: ClassVar[Effect] = Effect.LOCAL
    target: Query
    checked: bool = True


class Press(Action, frozen=True, kw_only=True):
    """A key or a chord in Playwright's spelling, such as Enter or Control+A; on the target or on what has the focus."""

    name: ClassVar[str] = "press"
    effect: ClassVar[Effect] = Effect.LASTING
    keys: str
    target: Query | None = None


class Upload(Action, frozen=True, kw_only=True):
    """`path` is relative to the task's own upload folder; nothing outside it can be named."""

    name: ClassVar[str] = "upload"
    effect: ClassVar[Effect] = Effect.LASTING
    path: str
    target: Query


class Scroll(Action, frozen=True, kw_only=True):
    """`direction` is down, up, top or bottom, by one viewport; or to a target."""

    name: ClassVar[str] = "scroll"
    effect: ClassVar[Effect] = Effect.LOCAL
    direction: str = "down"
    target: Query | None = None


class Wait(Action, frozen=True, kw_only=True):
    name: ClassVar[str] = "wait"
    effect: ClassVar[Effect] = Effect.LOOK
    seconds: float


class WaitFor(Action, frozen=True, kw_only=True):
    """Wait until the text is visible, for at most the action's limit."""

    name: ClassVar[str] = "wait_for"
    effect: ClassVar[Effect] = Effect.LOOK
    text: str


class GoBack(Action, frozen=True, kw_only=True):
    name: ClassVar[str] = "go_back"
    effect: ClassVar[Effect] = Effect.NAVIGATION


class GoForward(Action, frozen=True, kw_only=True):
    name: ClassVar[str] = "go_forward"
    effect: ClassVar[Effect] = Effect.NAVIGATION


class Reload(Action, frozen=True, kw_only=True):
    name: ClassVar[str] = "reload"
    effect: ClassVar[Effect] = Effect.NAVIGATION


class SwitchTab(Action, frozen=True, kw_only=True):
    """By number from 1 (-1 is the last), or by a part of the title or URL."""

    name: ClassVar[str] = "switch_tab"
    effect: ClassVar[Effect] = Effect.LOCAL
    number: int = 0
    text: str = ""


class Drag(Action, frozen=True, kw_only=True):
    name: ClassVar[str] = "drag"
    effect: ClassVar[Effect] = Effect.LASTING
    source: Query
    target: Query


class Expect(Action, frozen=True, kw_only=True):
    """The text must be visible (or, with `absent`, must not be) within the action's limit, or the act fails."""

    name: ClassVar[str] = "expect"
    effect: ClassVar[Effect] = Effect.LOOK
    text: str
    absent: bool = False


class Screenshot(Action, frozen=True, kw_only=True):
    name: ClassVar[str] = "screenshot"
    effect: ClassVar[Effect] = Effect.LOOK


class Extract(Action, frozen=True, kw_only=True):
    """`what` is text, heading, page, links, table or attribute; `field` names the output field that it fills."""

    name: ClassVar[str] = "extract"
    effect: ClassVar[Effect] = Effect.LOOK
    what: str
    target: Query | None = None
    attribute: str = ""
    field: str = ""


class Ask(Action, frozen=True, kw_only=True):
    """Ask a person and wait for the answer. `kind` is text, code, captcha or confirm.

    What is answered to text and code is typed later by its placeholder; a confirmation that is declined ends the task.
    """

    name: ClassVar[str] = "ask"
    effect: ClassVar[Effect] = Effect.LOOK
    prompt: str
    kind: str = "text"


AnyAction: TypeAlias = (
    Navigate
    | Click
    | Hover
    | Input
    | Clear
    | Select
    | Check
    | Press
    | Upload
    | Scroll
    | Wait
    | WaitFor
    | GoBack
    | GoForward
    | Reload
    | SwitchTab
    | Drag
    | Expect
    | Screenshot
    | Extract
    | Ask
)


class ActFailed(Exception):
    """An act could not be done. `code` is a word (no_target, ambiguous_target, timeout, blocked, expectation, ...).

    The message is a sentence that a user understands; for targets it names the candidates.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
