"""Acts that look, wait and compare. They change nothing."""

from typing import ClassVar

from runner.actions.base import Action, Effect, Query


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


class Extract(Action, frozen=True, kw_only=True):
    """`what` is text, heading, title, url, page, links, table or attribute; `field` names the output field to fill.

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
