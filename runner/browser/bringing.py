"""Which files an act has brought, in words, once they are here."""

from collections.abc import Callable, Coroutine

from runner.browser.downloads import asked_for_paper
from runner.browser.tabs import Tab, Tabs
from runner.inbox import Inbox


def bringing(
    tabs: Tabs, tab: Tab, inbox: Inbox | None, *, surely: bool
) -> Callable[[], Coroutine[object, object, str]]:
    """Before an act in that tab: what tells after it. `surely`: the act asks for a file."""
    many, url = len(tabs.open), tab.page.url
    mark = inbox.mark if inbox is not None else 0

    async def told() -> str:
        if inbox is None:
            return ""
        popped = tabs.adopted.is_set() and len(tabs.open) <= many
        expected, now = surely or tab.fruitless or popped, tabs.current_now
        if not expected and now is not None and now.page.url != url:
            expected = await asked_for_paper(now.page)
        return await inbox.told(mark, expected=expected)

    return told
