"""What the loop's parts say to each other: eyes, hands and browser sessions, as protocols. Models: see model.py.

Tests bring a stage and a script, production brings Chromium and a model.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import msgspec

from eventstore.events import Target
from eventstore.human import HumanInput
from runner.egress.upstream import Upstream
from runner.inbox import Inbox
from runner.model import Observation
from runner.reel import Put
from runner.vocabulary import AnyAction
from runner.wallet import Wallet


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """An action whose target has been found: exactly one element, ready to be acted on.

    `params` is the action's JSON text with what was typed into password fields masked. `secrets` are the names of those
    that the act will type, each with the host that gets it. `onto` is where a drag goes. `handle` is the hands' own.
    """

    action: AnyAction
    params: str
    url: str
    target: Target | None = None
    onto: Target | None = None
    secrets: tuple[tuple[str, str], ...] = ()
    handle: object = None


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A file that an act has made, whole; its name is made safe when it is kept."""

    name: str
    data: bytes


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an act brought. `result` is text for people and models: what was extracted, what was expected and seen.

    `made` becomes files of the task, on the tape together with the act's end. `moved` tells that the page, or the tab,
    is another one than before, whatever its address, or that the page has asked something.
    """

    result: str = ""
    url: str = ""
    moved: bool = False
    made: tuple[Made, ...] = ()


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """What a person's hand did, as the tape shall say it; without a `name` it is not worth a word.

    What was typed where nobody may look is masked in `params` already, and `secret` tells so. `url` is where the page
    is afterwards; `problem` is a sentence where something went wrong.
    """

    name: str = ""
    params: dict[str, object] = {}
    target: Target | None = None
    secret: bool = False
    url: str = ""
    problem: str = ""


class Eyes(Protocol):
    """What can be seen of one session of a browser."""

    async def look(self, *, tree: bool, picture: bool = False) -> Observation:
        """The place; with `tree` the outline of the page and what has happened, with `picture` what it looks like."""
        ...

    async def screenshot(self) -> bytes:
        """The viewport as PNG."""
        ...


class Hands(Protocol):
    """What can be done in one session of a browser. Every method may be cancelled at any await."""

    async def resolve(self, action: AnyAction) -> Resolved:
        """Find the one target and wait until it can be acted on. Changes nothing. Raises ActFailed."""
        ...

    async def act(self, resolved: Resolved) -> Outcome:
        """Do it. Raises ActFailed."""
        ...


class Session(Hands, Eyes, Protocol):
    """One isolated browser session: hands and eyes on its current page. `version` is the browser's.

    `own` names its browser where that is a process of its own, which may outlive this one; `attached` tells that it is
    the one that was asked for, with its pages as they were; `keep`, whether it is left running when the session is
    left: whoever asks for it within the grace has it again. At first it is kept only if it was attached. `wallet` has
    the secrets that its hands may type; at first there are none. `uploads`, `inbox` and `highlight` are those of its
    task.
    """

    version: str
    own: str
    attached: bool
    keep: bool
    wallet: Wallet
    uploads: Path | None
    inbox: Inbox | None
    highlight: bool

    async def state(self) -> str:
        """Cookies and storage as JSON text, for the vault. Raises ActFailed."""
        ...

    async def show(self, put: Put) -> None:
        """Put pictures of the current tab for people who watch, with secrets covered, until cancelled."""
        ...

    async def by_hand(self, asked: HumanInput) -> Touch:
        """One input of a person who drives. Raises ActFailed where nothing was done."""
        ...

    async def let_go(self) -> None:
        """No key and no button is held down any more. Raises ActFailed."""
        ...


def ignore(_url: str, _reason: str) -> None:
    """Tell nobody."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a session shall be. `viewport` is in CSS pixels, `state` what `Session.state` gave.

    `uploads` is the folder of the files that it may give away. `blocked` is told of every refused request: its URL and
    the reason. `own` names the browser to have again, if it is still there; then `state` is left alone. `proxy` is the
    one that all its traffic leaves through, None for none. `downloads` is the folder that holds what it downloads until
    `inbox` has it; without the one or the other it downloads nothing. `room` is the session whose browser stays open
    between tasks, empty for none; `again` tells that this task had one before, so that none but its own will do.
    `highlight` draws boxes around what can be acted on into the pictures of looks.
    """

    viewport: tuple[int, int]
    allowed_domains: Sequence[str] = ()
    state: str = ""
    uploads: Path | None = None
    action_seconds: float = 10.0
    blocked: Callable[[str, str], None] = ignore
    own: str = ""
    proxy: Upstream | None = None
    downloads: Path | None = None
    inbox: Inbox | None = None
    room: str = ""
    again: bool = False
    highlight: bool = False


class Sessions(Protocol):
    """Where sessions come from."""

    def session(self, wanted: Wanted) -> AbstractAsyncContextManager[Session]:
        """A session as it is wanted, closed when left. Raises ActFailed (no_browser, …)."""
        ...

    async def take_up(self, names: Collection[str], seconds: float) -> None:
        """Hold the browsers of these names, if they still run, until they are asked for, for so long at most.

        All others that an earlier process left are ended.
        """
        ...

    def end(self, name: str) -> None:
        """Nobody will ask for that browser again: it ends, beside."""
        ...
