"""What a model may say: actions, and what they are done to. No Playwright here. As JSON: see `action_json.py`."""

from enum import StrEnum
from typing import ClassVar, TypeAlias

import msgspec


class Effect(StrEnum):
    """How much an act may have changed, which decides what can be done again after a crash.

    LOOK changes nothing; LOCAL changes only the page (typing, selecting, checking, scrolling); NAVIGATION can be had
    again by opening the URL; LASTING (a click, a key, a submit) is never repeated silently. FILE changes only the
    task's own files: with its end it is on the tape or it is not, so nobody wonders about it, and what is done is done.
    """

    LOOK = "look"
    LOCAL = "local"
    NAVIGATION = "navigation"
    LASTING = "lasting"
    FILE = "file"


class Query(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an element is called, in a user's words. It must resolve to exactly one element.

    `text` is literal. `kind` is a word such as button, link, field, checkbox, heading, or empty for any.
    `ordinal` counts from 1 in document order, -1 is the last, 0 means that there may be only one.
    `row`, `within` and `near` narrow: the row, list item or card that holds the text; the region, group, dialog or
    section of that name; the candidate closest to that text. `above`, `below`, `left_of` and `right_of` are the text
    on whose that side it stands, and `column` the header of its table's column. `index` is a reference from an
    observation, 0 for none.
    `selector` is that of a Target on the tape: the element that an earlier act was about, whose role, name and row are
    then `kind`, `text` and `row`, and `among` is how many looked the same.
    """

    text: str = ""
    kind: str = ""
    ordinal: int = 0
    row: str = ""
    within: str = ""
    near: str = ""
    above: str = ""
    below: str = ""
    left_of: str = ""
    right_of: str = ""
    column: str = ""
    index: int = 0
    selector: str = ""
    among: int = 0


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act. `effect` and `name` are of the class.

    `leaves` tells that the page, or the tab, is another one afterwards: what was planned after it for the page before
    is not done.
    """

    name: ClassVar[str]
    effect: ClassVar[Effect]
    leaves: ClassVar[bool] = False


class Navigate(Action, frozen=True, kw_only=True):
    """Open the URL, in a new tab if that is asked for."""

    name: ClassVar[str] = "navigate"
    effect: ClassVar[Effect] = Effect.NAVIGATION
    leaves: ClassVar[bool] = True
    url: str
    new_tab: bool = False


class Search(Action, frozen=True, kw_only=True):
    """Search the web. `engine` is duckduckgo, google or bing."""

    name: ClassVar[str] = "search"
    effect: ClassVar[Effect] = Effect.NAVIGATION
    leaves: ClassVar[bool] = True
    query: str
    engine: str = "duckduckgo"


class Click(Action, frozen=True, kw_only=True):
    """`button` is left or right; `count` is 1 or 2.

    What the page asks because of it (`confirm`, `prompt`) is declined; with `accept` it is confirmed, or answered with
    `answer`.
    """

    name: ClassVar[str] = "click"
    effect: ClassVar[Effect] = Effect.LASTING
    target: Query
    button: str = "left"
    count: int = 1
    accept: bool = False
    answer: str = ""


class Hover(Action, frozen=True, kw_only=True):
    name: ClassVar[str] = "hover"
    effect: ClassVar[Effect] = Effect.LOCAL
    target: Query


class Input(Action, frozen=True, kw_only=True):
    """Type into a field, in place of what it holds if `clear`, else at its end. Without a target: into what has focus.

    At the end it is LASTING; see `effect_of`.
    """

    name: ClassVar[str] = "input"
    effect: ClassVar[Effect] = Effect.LOCAL
    text: str
    target: Query | None = None
    clear: bool = True


class Clear(Action, frozen=True, kw_only=True):
    name: ClassVar[str] = "clear"
    effect: ClassVar[Effect] = Effect.LOCAL
    target: Query


class Select(Action, frozen=True, kw_only=True):
    """Choose an option, by its visible text or its value, in a drop-down, or a value of a slider.

    `more` are further options, for a list that takes several.
    """

    name: ClassVar[str] = "select"
    effect: ClassVar[Effect] = Effect.LOCAL
    option: str
    target: Query
    more: tuple[str, ...] = ()


class SetValue(Action, frozen=True, kw_only=True):
    """Bring a field, a slider or a calendar to a value, and see that it has it.

    `what` is number, colour, or what a date is made of (date, time, datetime, month, week); `value` is then as HTML
    writes it: 70, #ff0000, 2026-12-24, 09:30, 2026-12-24T09:30, 2026-12, 2026-W52.
    """

    name: ClassVar[str] = "set_value"
    effect: ClassVar[Effect] = Effect.LOCAL
    value: str
    what: str
    target: Query


class Expand(Action, frozen=True, kw_only=True):
    """Open what a section, an accordion or a tab hides, or with `opened` false close it; if it is not so already."""

    name: ClassVar[str] = "expand"
    effect: ClassVar[Effect] = Effect.LASTING
    target: Query
    opened: bool = True


class Check(Action, frozen=True, kw_only=True):
    """Bring a checkbox, switch or radio button to `checked`; nothing happens if it is so already."""

    name: ClassVar[str] = "check"
    effect: ClassVar[Effect] = Effect.LOCAL
    target: Query
    checked: bool = True


class Press(Action, frozen=True, kw_only=True):
    """Keys or chords in Playwright's spelling, such as Enter, Control+A or "Tab Tab Space", one after the other.

    On the target, or on what has the focus. `accept` and `answer` are as for a click.
    """

    name: ClassVar[str] = "press"
    effect: ClassVar[Effect] = Effect.LASTING
    keys: str
    target: Query | None = None
    accept: bool = False
    answer: str = ""


class Upload(Action, frozen=True, kw_only=True):
    """`path` is relative to the task's own upload folder; nothing outside it can be named."""

    name: ClassVar[str] = "upload"
    effect: ClassVar[Effect] = Effect.LASTING
    path: str
    target: Query


class Scroll(Action, frozen=True, kw_only=True):
    """`direction` is down, up, top or bottom. Without a target: the page, by so many `pages` of what is seen of it.

    With a target and `pages`, or another direction than down: what scrolls there, by so many of its own; else until the
    target is seen.
    """

    name: ClassVar[str] = "scroll"
    effect: ClassVar[Effect] = Effect.LOCAL
    direction: str = "down"
    target: Query | None = None
    pages: float = 0.0


class FindText(Action, frozen=True, kw_only=True):
    """Scroll to where the page says this."""

    name: ClassVar[str] = "find_text"
    effect: ClassVar[Effect] = Effect.LOCAL
    text: str


class Options(Action, frozen=True, kw_only=True):
    """What can be chosen in a drop-down. One that is no native one is opened for that, and closed again."""

    name: ClassVar[str] = "options"
    effect: ClassVar[Effect] = Effect.LOOK
    target: Query


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
    leaves: ClassVar[bool] = True


class GoForward(Action, frozen=True, kw_only=True):
    name: ClassVar[str] = "go_forward"
    effect: ClassVar[Effect] = Effect.NAVIGATION
    leaves: ClassVar[bool] = True


class Reload(Action, frozen=True, kw_only=True):
    name: ClassVar[str] = "reload"
    effect: ClassVar[Effect] = Effect.NAVIGATION
    leaves: ClassVar[bool] = True


class SwitchTab(Action, frozen=True, kw_only=True):
    """By number from 1 (-1 is the last), or by a part of the title or URL."""

    name: ClassVar[str] = "switch_tab"
    effect: ClassVar[Effect] = Effect.LOCAL
    leaves: ClassVar[bool] = True
    number: int = 0
    text: str = ""


class CloseTab(Action, frozen=True, kw_only=True):
    """By number from 1; 0 is the current one. It is LASTING: done twice it closes another one."""

    name: ClassVar[str] = "close_tab"
    effect: ClassVar[Effect] = Effect.LASTING
    leaves: ClassVar[bool] = True
    number: int = 0


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


class LookFor(Action, frozen=True, kw_only=True):
    """Whether the target, or else the text, comes to be visible within a short time. Answers; never fails for it."""

    name: ClassVar[str] = "look_for"
    effect: ClassVar[Effect] = Effect.LOOK
    target: Query | None = None
    text: str = ""


class Verify(Action, frozen=True, kw_only=True):
    """What must be so within the action's limit, or the act fails.

    `what` is count (that many match the target), checked, unchecked, enabled, disabled, value (of the target), url or
    title; the last three hold the `text`, or with `exact` are it.
    """

    name: ClassVar[str] = "verify"
    effect: ClassVar[Effect] = Effect.LOOK
    what: str
    target: Query | None = None
    text: str = ""
    exact: bool = False
    count: int = 0


class Screenshot(Action, frozen=True, kw_only=True):
    """With a `file` the picture is a file of the task; without one it is that of the step."""

    name: ClassVar[str] = "screenshot"
    effect: ClassVar[Effect] = Effect.LOOK
    file: str = ""


class SavePdf(Action, frozen=True, kw_only=True):
    """The page as a PDF file of the task."""

    name: ClassVar[str] = "save_as_pdf"
    effect: ClassVar[Effect] = Effect.LOOK
    file: str = "page.pdf"


class ReadFile(Action, frozen=True, kw_only=True):
    """A text file that the task was given or has produced; of a PDF its text. `offset` is in characters."""

    name: ClassVar[str] = "read_file"
    effect: ClassVar[Effect] = Effect.LOOK
    file: str
    offset: int = 0


class WriteFile(Action, frozen=True, kw_only=True):
    """Write a text file of the task; with `append` at its end, with `replace` in place of that text in it."""

    name: ClassVar[str] = "write_file"
    effect: ClassVar[Effect] = Effect.FILE
    file: str
    content: str
    append: bool = False
    replace: str = ""


class Extract(Action, frozen=True, kw_only=True):
    """`what` is text, heading, page, links, table or attribute; `field` names the output field that it fills.

    Or it is count (how many match the target), number (that stands beside the target's text in words, as the 3 of
    `3 items left`) or beside (what a label, the target's text, is the label of).
    `query` is a question that a model answers from the page's text, from the character at `offset` on;
    `output_schema`, JSON Schema text, says in which shape.
    """

    name: ClassVar[str] = "extract"
    effect: ClassVar[Effect] = Effect.LOOK
    what: str = "query"
    target: Query | None = None
    attribute: str = ""
    field: str = ""
    query: str = ""
    output_schema: str = ""
    offset: int = 0


class Ask(Action, frozen=True, kw_only=True):
    """Ask a person and wait for the answer. `kind` is text, code, captcha or confirm.

    What is answered to text and code is typed later by its placeholder; a confirmation that is declined ends the task.
    """

    name: ClassVar[str] = "ask"
    effect: ClassVar[Effect] = Effect.LOOK
    prompt: str
    kind: str = "text"


class Finish(Action, frozen=True, kw_only=True):
    """The end, as a model says it."""

    name: ClassVar[str] = "done"
    effect: ClassVar[Effect] = Effect.LOOK
    success: bool
    text: str = ""


AnyAction: TypeAlias = (
    Navigate
    | Search
    | Click
    | Hover
    | Input
    | Clear
    | Select
    | SetValue
    | Expand
    | Check
    | Press
    | Upload
    | Scroll
    | FindText
    | Options
    | Wait
    | WaitFor
    | GoBack
    | GoForward
    | Reload
    | SwitchTab
    | CloseTab
    | Drag
    | Expect
    | LookFor
    | Verify
    | Screenshot
    | SavePdf
    | ReadFile
    | WriteFile
    | Extract
    | Ask
    | Finish
)


def effect_of(action: Action) -> Effect:
    """That of its class; but what is added to a field, done twice, is there twice."""
    return Effect.LASTING if isinstance(action, Input) and not action.clear else action.effect


def beside(action: Action) -> bool:
    """Whether it is done beside the browser: by a person, by a model, or with the task's files."""
    if isinstance(action, Extract):
        return action.what == "query"
    return isinstance(action, Ask | ReadFile | WriteFile | Finish)


class ActFailed(Exception):
    """An act could not be done. `code` is a word (no_target, ambiguous_target, timeout, blocked, expectation, ...).

    The message is a sentence that a user understands; for targets it names the candidates.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
