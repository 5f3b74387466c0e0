"""Acts beside the browser: files of the task, questions to people, the end."""

from typing import ClassVar

from runner.actions.base import Action, Effect


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
