"""Acts that change what is looked at: addresses, searches, history, tabs."""

from typing import ClassVar

from runner.actions.base import Action, Effect


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
