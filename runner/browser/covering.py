"""Pictures of a page on which no secret can be read: what shows a value is covered, or there is no picture.

The page's own scripts are not asked, as they could lie: DevTools tell all that the documents hold, what stands in
fields and closed shadow roots included. What this cannot see: texts drawn on a canvas, that come in an image or in a
style sheet from elsewhere, and shadows and pseudo-elements that stand away from their element.
"""

import asyncio
from collections.abc import Iterator

import msgspec
from playwright.async_api import Error, Frame, Locator, Page

from runner.browser.selectors import COVER, ENGINE
from runner.browser.tabs import Tab
from runner.masking import Mask
from runner.vocabulary import ActFailed

COLOUR = "#20242c"
ELEMENT, TEXT = 1, 3
ATTRIBUTE, STYLE = "attribute", "style"
NEVER_SHOWN = frozenset({"SCRIPT", "NOSCRIPT", "TEMPLATE", "TITLE", "META", "LINK"})
Steps = tuple[int, ...]
Place = tuple[Steps, ...]
"""A path in each document on the way: child indexes, -1 into a shadow root; from one to the next is into a frame."""

Shown = tuple[int | str, str, Place]
"""A text, an attribute's value or a style sheet, in order, and the element that shows it."""


class Node(msgspec.Struct, frozen=True, rename="camel"):
    """The parts of a DevTools node that are read here."""

    node_type: int
    node_name: str
    node_value: str = ""
    attributes: list[str] = []
    children: list["Node"] = []
    shadow_roots: list["Node"] = []
    shadow_root_type: str = ""
    content_document: "Node | None" = None


async def covered(tab: Tab, mask: Mask, seconds: float) -> bytes:
    """The viewport as PNG. Raises ActFailed: uncovered, when a frame does not answer or shows more by the end."""
    try:
        async with asyncio.timeout(seconds):
            before = await _telling(tab, mask)
            picture = await tab.page.screenshot(
                timeout=seconds * 1000, scale="css", mask_color=COLOUR, mask=[_locator(*place) for place in before]
            )
            after = await _telling(tab, mask)
    except (Error, TimeoutError, RecursionError) as error:
        if tab.page.is_closed() or tab.crashed:
            raise
        raise ActFailed("uncovered", "It is not sure that the picture would show no secret.") from error
    if after - before:
        raise ActFailed("uncovered", "The page showed a secret while the picture was taken.")
    return picture


async def shows(tab: Tab, mask: Mask, seconds: float) -> bool:
    """Whether anything on the page would show a value. Raises ActFailed: uncovered, where nobody can tell."""
    try:
        async with asyncio.timeout(seconds):
            return bool(await _telling(tab, mask))
    except (Error, TimeoutError, RecursionError) as error:
        if tab.page.is_closed() or tab.crashed:
            raise
        raise ActFailed("uncovered", "It is not sure that the page shows no secret.") from error


async def _telling(tab: Tab, mask: Mask) -> set[tuple[Page | Frame, Place]]:
    """The elements that show a value."""
    if tab.cdp is None:
        raise ActFailed("uncovered", "Nobody knows what the page holds.")
    found: set[tuple[Page | Frame, Place]] = set()
    found |= {(tab.page, place) for place in places(await _document(tab.page, None), mask)}
    for frame in tab.page.frames[1:]:
        # A frame in a process of its own has a document that its parent does not know.
        root = await _document(tab.page, frame)
        found |= {(frame, place) for place in places(root, mask)} if root else set()
    return found


async def _document(page: Page, frame: Frame | None) -> Node | None:
    try:
        cdp = await page.context.new_cdp_session(frame or page)
    except Error as error:
        if frame is not None and ("separate CDP session" in error.message or frame.is_detached()):
            return None
        raise
    answer = await cdp.send("DOM.getDocument", {"depth": -1, "pierce": True})
    await cdp.detach()  # not in a finally: of a page that hangs it would wait for ever
    return msgspec.convert(answer["root"], Node)


def places(root: Node | None, mask: Mask) -> Iterator[Place]:
    """Where values stand in a document and those inside it. Raises ActFailed for one that a style sheet may show."""
    texts: list[tuple[str, Place]] = []
    for kind, text, place in _texts(root, ((),)) if root else ():
        if kind == TEXT:
            texts.append((text, place))
        elif mask.spans(text):
            if kind == STYLE:
                raise ActFailed("uncovered", "A style sheet of the page holds a secret.")
            yield place
    spans = mask.spans("".join(text for text, _ in texts))
    position = 0
    for text, place in texts:  # a value may begin in one text and end in another
        end = position + len(text)
        while spans and spans[0][1] <= position:
            spans.pop(0)
        if (spans and spans[0][0] < end) or mask.spans(text):
            yield place
        position = end


def _texts(node: Node, place: Place) -> Iterator[Shown]:
    name = node.node_name.upper()
    if name in NEVER_SHOWN:
        return
    if name == "STYLE":
        yield STYLE, "".join(child.node_value for child in node.children), place
        return
    if node.node_type == TEXT:
        yield TEXT, node.node_value, place
    for value in node.attributes[1::2]:
        yield ATTRIBUTE, value, place
    here, last = place[:-1], place[-1]
    for root in node.shadow_roots:
        # Nobody reaches into a closed one: there the element that has it stands for all in it.
        yield from _below(root, (*here, (*last, -1)) if root.shadow_root_type == "open" else None, place)
    if node.content_document is not None:
        yield from _below(node.content_document, (*place, ()), place)
    yield from _below(node, place, place)


def _below(node: Node, base: Place | None, outer: Place) -> Iterator[Shown]:
    """What the node's children show. Without a base of their own, the outer element shows it."""
    elements = 0
    for child in node.children:
        if child.node_type != ELEMENT:
            yield from _texts(child, base or outer)
        elif base:
            yield from _texts(child, (*base[:-1], (*base[-1], elements)))
            elements += 1
        else:
            yield from ((kind, text, outer) for kind, text, _ in _texts(child, outer))


def _locator(root: Page | Frame, place: Place) -> Locator:
    """The element at the place; that of a document, or right below a shadow root, is the one around it."""
    found: Locator | None = None
    for number, steps in enumerate(place):
        steps = steps[:-1] if steps and steps[-1] == -1 else steps
        around = COVER if number == len(place) - 1 or not place[number + 1] else ""
        selector = f"{ENGINE}={around}{'.'.join(map(str, steps or (0,)))}"
        scope = root if found is None else found.content_frame
        if number and not steps:
            break
        found = scope.locator(selector)
    return found or root.locator(f"{ENGINE}=0")
