"""Acts that change what is looked at: addresses, searches, history, tabs."""

import asyncio
from urllib.parse import quote_plus, urlsplit

from runner.browser.navigation import NoPage, goto, leave, move
from runner.browser.observe import title
from runner.browser.resolve import Handle, Scene
from runner.browser.tabs import MOST_TABS, Tab
from runner.browser.words import listing
from runner.vocabulary import ActFailed, CloseTab, GoBack, GoForward, Navigate, Reload, Search, SwitchTab

ENGINES = {
    "duckduckgo": "https://duckduckgo.com/?q=",
    "google": "https://www.google.com/search?q=",
    "bing": "https://www.bing.com/search?q=",
}


async def navigate(scene: Scene, action: Navigate, _handle: Handle) -> str:
    try:
        if action.new_tab:
            return await _in_new_tab(scene, action.url)
        return await goto(scene.tab, action.url, scene.egress, scene.navigation_seconds)
    except NoPage as failure:
        if scene.inbox is None:
            raise ActFailed(failure.code, f"{failure} Downloads are not accepted here.") from failure
        scene.tab.fruitless = True
        return f"asked for {action.url}, which is a file"


async def _in_new_tab(scene: Scene, url: str) -> str:
    """A tab in which nothing was opened is closed again."""
    if len(scene.tabs.open) >= MOST_TABS:
        raise ActFailed(
            "too_many_tabs", f"{MOST_TABS} tabs are open, which are all that there may be; close one first."
        )
    async with asyncio.timeout(scene.navigation_seconds):
        page = await scene.tabs.context.new_page()
    tab = scene.tabs.of(page)
    if tab is None:
        raise ActFailed("tab_closed", "The new tab was closed meanwhile.")
    try:
        await tab.watch()
        said = await goto(tab, url, scene.egress, scene.navigation_seconds)
    except ActFailed:
        await scene.tabs.forget(tab)
        scene.tabs.switch(scene.tab)
        raise
    return f"{said} in a new tab, number {scene.tabs.open.index(tab) + 1}"


async def search(scene: Scene, action: Search, _handle: Handle) -> str:
    engine = ENGINES.get(action.engine.lower())
    if engine is None:
        raise ActFailed("bad_action", f"There is no search engine {action.engine}; there are {', '.join(ENGINES)}.")
    try:
        said = await goto(scene.tab, engine + quote_plus(action.query), scene.egress, scene.navigation_seconds)
    except ActFailed as failure:
        if failure.code != "blocked":
            raise
        hosts = [f"{urlsplit(url).hostname} for {name}" for name, url in ENGINES.items()]
        raise ActFailed(
            "blocked", f"{failure} To search, one of these hosts has to be allowed: {', '.join(hosts)}."
        ) from failure
    return f'searched for "{action.query}": {said}'


async def go_back(scene: Scene, _action: GoBack, _handle: Handle) -> str:
    return await move(scene.tab, "back", scene.egress, scene.navigation_seconds)


async def go_forward(scene: Scene, _action: GoForward, _handle: Handle) -> str:
    return await move(scene.tab, "forward", scene.egress, scene.navigation_seconds)


async def reload(scene: Scene, _action: Reload, _handle: Handle) -> str:
    return await move(scene.tab, "reload", scene.egress, scene.navigation_seconds)


async def switch_tab(scene: Scene, action: SwitchTab, _handle: Handle) -> str:
    tab = await _tab(scene, action.number, action.text)
    scene.tabs.switch(tab)
    await tab.page.bring_to_front()
    return f"switched to {tab.page.url}"


async def close_tab(scene: Scene, action: CloseTab, _handle: Handle) -> str:
    tab = await _tab(scene, action.number, "") if action.number else scene.tab
    url = tab.page.url
    if len(scene.tabs.open) == 1:  # without any the browser may end
        await leave(tab)
        return f"closed {url}, which was the only tab: it is empty now"
    async with asyncio.timeout(scene.seconds):
        await scene.tabs.forget(tab)
    now = await scene.tabs.current()
    await now.page.bring_to_front()
    return f"closed {url}; the current tab is {now.page.url}"


async def _tab(scene: Scene, number: int, text: str) -> Tab:
    """The one of that number, or else with that text in its title or address. Raises ActFailed: no_tab."""
    tabs = list(scene.tabs.open)
    titles = [await title(tab.page) for tab in tabs]
    matches: list[Tab] = []
    if number and abs(number) <= len(tabs):
        matches = [tabs[number - 1 if number > 0 else number]]
    elif not number:
        wanted = text.lower()
        matches = [tab for tab, name in zip(tabs, titles, strict=True) if wanted in f"{name} {tab.page.url}".lower()]
    if len(matches) != 1:
        named = listing(
            [f'{n}. "{name}" {tab.page.url}' for n, (tab, name) in enumerate(zip(tabs, titles, strict=True), 1)]
        )
        which = f"number {number}" if number else f'"{text}"'
        raise ActFailed("no_tab", f"{len(matches) or 'No'} tabs match {which}. Open tabs: {named}.")
    return matches[0]
