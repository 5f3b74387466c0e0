"""From an action to the one element it is about, waited for and described, before anything is done."""

from pathlib import Path

import msgspec
from playwright.async_api import Page

from eventstore.events import Target
from runner.action_json import as_json
from runner.browser.aimed import aimed
from runner.browser.finder import Finder
from runner.browser.observe import Memory
from runner.browser.tabs import Tab, Tabs
from runner.browser.targets import Scan, locate, reach, ready, until
from runner.browser.wishes import FIND, Found, Seen, Wish, describe
from runner.egress.proxy import Egress
from runner.inbox import Inbox
from runner.placeholders import PLACEHOLDER, names, placeholder
from runner.ports import Made, Resolved
from runner.vocabulary import (
    ActFailed,
    Action,
    AnyAction,
    Check,
    Clear,
    Drag,
    Expand,
    Extract,
    Input,
    LookFor,
    Query,
    Select,
    SetValue,
    Upload,
    Verify,
)
from runner.wallet import Wallet

MASK = "********"
PURPOSES: dict[type[Action], str] = {
    Input: "fill",
    Clear: "fill",
    Select: "select",
    SetValue: "set",
    Expand: "expand",
    Check: "check",
    Upload: "upload",
}


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What an act may use. `seconds` is the limit of one action; `made` takes the files that it makes."""

    tab: Tab
    tabs: Tabs
    memory: Memory
    seconds: float
    navigation_seconds: float
    egress: Egress
    uploads: Path | None
    inbox: Inbox | None
    scan: Scan
    finder: Finder
    wallet: Wallet
    made: list[Made] = []

    @property
    def page(self) -> Page:
        """The page to act on."""
        return self.tab.page

    @property
    def milliseconds(self) -> float:
        """The limit as Playwright wants it."""
        return self.seconds * 1000


class Handle(msgspec.Struct, frozen=True, kw_only=True):
    """The hands' own: the element of the action, and for a drag where it goes."""

    found: Found | None = None
    onto: Found | None = None


async def resolve(scene: Scene, action: AnyAction) -> Resolved:
    """Find the action's one target, if it has one. Changes nothing. Raises ActFailed."""
    handle = Handle()
    if isinstance(action, Drag):
        handle = Handle(found=await _one(scene, action.source), onto=await _one(scene, action.target))
    elif isinstance(action, Input) and action.target is None:
        handle = Handle(found=await focused(scene))
    else:
        query = getattr(action, "target", None)
        if isinstance(query, Query) and not looks_only(action):
            handle = Handle(found=await _one(scene, query, PURPOSES.get(type(action), "any")))
    found = handle.found
    target: Target | None = found.target if found else None
    return Resolved(
        action=action,
        params=masked(action, found),
        url=scene.page.url,
        target=target,
        onto=handle.onto.target if handle.onto else None,
        handle=handle,
    )


def looks_only(action: AnyAction) -> bool:
    """Whether its target need not be exactly one element: it is counted, or looked for."""
    if isinstance(action, Extract):
        table = action.what == "table" and not (action.target and action.target.index)
        return table or action.what in ("count", "number", "beside")
    return isinstance(action, LookFor) or (isinstance(action, Verify) and action.what == "count")


def masked(action: AnyAction, found: Found | None) -> str:
    """The action as JSON text, without what is typed into a password or card field."""
    if isinstance(action, Input) and found is not None and found.seen.secret:
        known = [placeholder(name) for name in names(action.text)]
        typed = PLACEHOLDER.sub("", action.text)
        action = msgspec.structs.replace(action, text="".join([MASK] * bool(typed or not known) + known))
    if isinstance(action, SetValue) and found is not None and found.seen.secret:
        action = msgspec.structs.replace(action, value=MASK)
    return as_json(action)


async def _one(scene: Scene, query: Query, purpose: str = "any") -> Found:
    if query.index:
        return await _indexed(scene, query.index, purpose)
    wish = Wish(query=query, purpose=purpose)
    if query.selector:
        return await aimed(scene.page, wish, seconds=scene.seconds, mask=scene.wallet.mask)
    return await locate(scene.page, wish, seconds=scene.seconds, scan=scene.scan, finder=scene.finder)


async def _indexed(scene: Scene, index: int, purpose: str) -> Found:
    """The element of a reference in the last look."""

    async def wanted() -> Found | None:
        known = await scene.memory.describe(scene.page, index)
        if known is None:
            raise ActFailed("no_target", f"[{index}] is no longer on the page; look again.")
        frame, seen = known
        if purpose == "fill" and seen.enabled and not seen.editable:
            raise ActFailed("no_target", f"[{index}] is {describe(seen)}, which cannot be typed into.")
        if not ready(seen, Wish(query=Query(index=index), purpose=purpose)):
            return None
        return await reach(scene.page, frame, seen, alone=False)

    found = await until(wanted, scene.seconds)
    if found is None:
        raise ActFailed("timeout", f"[{index}] stayed disabled for {scene.seconds:g} s.")
    return found


async def focused(scene: Scene) -> Found:
    """The field that has the focus. Raises ActFailed."""
    for frame in scene.page.frames:
        raw = await frame.evaluate(f"() => {{ {FIND} return focused(); }}")
        if raw is not None:
            return await reach(scene.page, frame, msgspec.convert(raw, Seen), alone=False)
    raise ActFailed("no_focus", "Nothing that can be typed into has the focus.")
