"""Acts that change what is looked at: addresses, history, tabs, scrolling."""

from runner.browser.extract import SCRIPT
from runner.browser.navigation import NoPage, goto, move
from runner.browser.observe import title
from runner.browser.resolve import Handle, Scene
from runner.browser.tabs import Tab
from runner.browser.wishes import describe
from runner.browser.words import listing
from runner.vocabulary import ActFailed, GoBack, GoForward, Navigate, Reload, Scroll, SwitchTab


async def navigate(scene: Scene, action: Navigate, _handle: Handle) -> str:
    try:
        return await goto(scene.tab, action.url, scene.egress, scene.navigation_seconds)
    except NoPage as failure:
        if scene.inbox is None:
            raise ActFailed(failure.code, f"{failure} Downloads are not accepted here.") from failure
        scene.tab.fruitless = True
        return f"asked for {action.url}, which is a file"


async def go_back(scene: Scene, _action: GoBack, _handle: Handle) -> str:
    return await move(scene.tab, "back", scene.egress, scene.navigation_seconds)


async def go_forward(scene: Scene, _action: GoForward, _handle: Handle) -> str:
    return await move(scene.tab, "forward", scene.egress, scene.navigation_seconds)


async def reload(scene: Scene, _action: Reload, _handle: Handle) -> str:
    return await move(scene.tab, "reload", scene.egress, scene.navigation_seconds)


async def switch_tab(scene: Scene, action: SwitchTab, _handle: Handle) -> str:
    tabs = list(scene.tabs.open)
    titles = [await title(tab.page) for tab in tabs]
    matches: list[Tab] = []
    if action.number and abs(action.number) <= len(tabs):
        matches = [tabs[action.number - 1 if action.number > 0 else action.number]]
    elif not action.number:
        wanted = action.text.lower()
        matches = [tab for tab, name in zip(tabs, titles, strict=True) if wanted in f"{name} {tab.page.url}".lower()]
    if len(matches) != 1:
        named = listing(
            [f'{n}. "{name}" {tab.page.url}' for n, (tab, name) in enumerate(zip(tabs, titles, strict=True), 1)]
        )
        which = f"number {action.number}" if action.number else f'"{action.text}"'
        raise ActFailed("no_tab", f"{len(matches) or 'No'} tabs match {which}. Open tabs: {named}.")
    scene.tabs.switch(matches[0])
    await matches[0].page.bring_to_front()
    return f"switched to {matches[0].page.url}"


async def scroll(scene: Scene, action: Scroll, handle: Handle) -> str:
    if handle.found is not None:
        await handle.found.locator.scroll_into_view_if_needed(timeout=scene.milliseconds)
        return f"scrolled to {describe(handle.found.seen)}"
    if action.direction not in {"down", "up", "top", "bottom"}:
        raise ActFailed("bad_action", f"There is no scrolling {action.direction}.")
    moved = await scene.page.evaluate(f"(to) => {{ {SCRIPT} return scroll(to); }}", action.direction)
    return f"scrolled {action.direction}" if moved else "there is nothing more to scroll"
