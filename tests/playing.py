"""What the tests of the browser say: do an act, read the page's own note, expect a refusal."""

import pytest

from runner.browser.browsers import Session
from runner.ports import Resolved
from runner.vocabulary import ActFailed, AnyAction, Click, Extract, Navigate, Query


async def do(session: Session, action: AnyAction) -> str:
    """Resolve and act; what it brought."""
    return (await session.act(await session.resolve(action))).result


async def go(session: Session, url: str) -> str:
    """Open a page."""
    return await do(session, Navigate(url=url))


async def note(session: Session) -> str:
    """What the page has written down about what was done to it."""
    script = "() => document.getElementById('log').textContent"
    tab = session._tabs.current_now
    assert tab is not None
    return str(await tab.page.evaluate(script))


async def clicked(session: Session, query: Query) -> str:
    """Click, and what the page wrote down."""
    await do(session, Click(target=query))
    return await note(session)


async def read(session: Session, what: str, *, target: Query | None = None, attribute: str = "") -> str:
    """Extract."""
    return await do(session, Extract(what=what, target=target, attribute=attribute))


async def refused(session: Session, action: AnyAction) -> tuple[str, str]:
    """Code and sentence of an act that must fail."""
    with pytest.raises(ActFailed) as caught:
        await do(session, action)
    return caught.value.code, str(caught.value)


async def seen(session: Session, query: Query) -> Resolved:
    """Resolve a click without doing it."""
    return await session.resolve(Click(target=query))
