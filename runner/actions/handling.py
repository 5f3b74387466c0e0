"""Acts of hands on what a page shows: pointing, typing, choosing, scrolling."""

from typing import ClassVar

from runner.actions.base import Action, Effect, Query


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
    writes it: 70, #ff0000, 2026-12-24, 09:30, 2026-12-24T09:30, 2026-12, 2026-W52. Or it is text, as people see it.
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


class Drag(Action, frozen=True, kw_only=True):
    name: ClassVar[str] = "drag"
    effect: ClassVar[Effect] = Effect.LASTING
    source: Query
    target: Query
