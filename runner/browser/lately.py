"""What has happened in a session and was not told yet, in sentences; what an act has told is not told twice."""

from runner.browser.outline import cut
from runner.browser.tabs import Tab, Tabs
from runner.inbox import Inbox
from runner.masking import Mask

ADDRESS = 300
"""Characters of an address in a sentence."""


class Lately:
    """Of one session: questions of pages, tabs that came and went, files that came."""

    def __init__(self, tabs: Tabs) -> None:
        self._tabs = tabs
        self._open: list[Tab] | None = None
        self._heard = 0
        self._inbox: Inbox | None = None
        self._files = 0

    def told(self, inbox: Inbox | None, *, questions: bool = True, tabs: bool = True) -> None:
        """What has happened until now is known; without these not what pages have asked, or which tabs are open."""
        if tabs:
            self._open = list(self._tabs.open)
        if questions:
            self._heard = self._tabs.news.count
        self._inbox, self._files = inbox, len(inbox.ended) if inbox is not None else 0

    def news(self, inbox: Inbox | None, mask: Mask) -> tuple[str, ...]:
        """What is not known yet, at most some hundred sentences; it is from now on."""
        before, now = self._open, list(self._tabs.open)
        said = list(self._tabs.news.since(self._heard))
        if before is not None:
            for number, tab in enumerate(now, 1):
                if tab not in before:
                    said.append(f"tab {number} was opened: {cut(tab.page.url, ADDRESS, mask)}")
            said += [f"a tab was closed: {cut(tab.page.url, ADDRESS, mask)}" for tab in before if tab not in now]
        if inbox is not None:
            said += inbox.ended[self._files if inbox is self._inbox else 0 :]
        self.told(inbox)
        return tuple(said)
