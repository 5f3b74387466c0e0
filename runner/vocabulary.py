"""What a model may say: all actions, which stand by their kinds in `runner/actions`. As JSON: see `action_json.py`."""

from typing import TypeAlias

from runner.actions.base import Action, Effect, Query
from runner.actions.beside import Ask, Finish, ReadFile, WriteFile
from runner.actions.going import CloseTab, GoBack, GoForward, Navigate, Reload, Search, SwitchTab
from runner.actions.handling import (
    Check,
    Clear,
    Click,
    Drag,
    Expand,
    FindText,
    Hover,
    Input,
    Press,
    Scroll,
    Select,
    SetValue,
    Upload,
)
from runner.actions.looking import Expect, Extract, LookFor, Options, SavePdf, Screenshot, Verify, Wait, WaitFor

__all__ = [
    "ActFailed",
    "Action",
    "AnyAction",
    "Ask",
    "Check",
    "Clear",
    "Click",
    "CloseTab",
    "Drag",
    "Effect",
    "Expand",
    "Expect",
    "Extract",
    "FindText",
    "Finish",
    "GoBack",
    "GoForward",
    "Hover",
    "Input",
    "LookFor",
    "Navigate",
    "Options",
    "Press",
    "Query",
    "ReadFile",
    "Reload",
    "SavePdf",
    "Screenshot",
    "Scroll",
    "Search",
    "Select",
    "SetValue",
    "SwitchTab",
    "Upload",
    "Verify",
    "Wait",
    "WaitFor",
    "WriteFile",
    "beside",
    "effect_of",
]

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
