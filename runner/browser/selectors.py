"""A selector for an element that was found: it names the element and its surroundings, so that a rerun finds it."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from playwright.async_api import Error, Frame, Locator, Page

HERE = Path(__file__).parent
PATHS = (HERE / "paths.js").read_text(encoding="utf-8")
NAMES = PATHS + (HERE / "names.js").read_text(encoding="utf-8")
ANCHORS = NAMES + (HERE / "anchors.js").read_text(encoding="utf-8")
ENTER_FRAME = " >> internal:control=enter-frame >> "
COUNTING = re.compile(r">> nth=\d+|:nth-(child|of-type)\(")
COUNTS = re.compile(r"\s*>> nth=\d+|:nth-(child|of-type)\([^)]*\)")
LONGEST_NAME = 100
ENGINE = "tapewright"
COVER = "cover:"
"""Before a path: not the element itself, but the innermost one around it whose box holds all text right in it."""

ENGINE_SCRIPT = """{
  query(root, path) { return this.queryAll(root, path)[0] || null; },
  queryAll(root, path) {
    let e = root.nodeType === 9 ? root : root.ownerDocument;
    for (const k of path.replace('cover:', '').split('.')) e = e && (k === '-1' ? e.shadowRoot : e.children[+k]);
    return e ? [path.startsWith('cover:') ? this.around(e) : e] : [];
  },
  around(element) {
    const style = getComputedStyle(element);
    const cuts = [style.overflowX, style.overflowY].every((each) => /hidden|auto|scroll/.test(each));
    if (cuts && /block|flow-root|flex|grid|table-cell|list-item/.test(style.display)) return element;
    const inside = element.shadowRoot ? [...element.shadowRoot.childNodes] : [];
    const rects = [...element.childNodes, ...inside].filter((node) => node.nodeType === 3).flatMap((node) => {
      const range = document.createRange();
      range.selectNodeContents(node);
      return [...range.getClientRects()];
    }).map((r) => [
      Math.max(r.left, 0), Math.max(r.top, 0), Math.min(r.right, innerWidth), Math.min(r.bottom, innerHeight),
    ])
      .filter(([left, top, right, bottom]) => left < right && top < bottom);
    for (let e = element; e; e = e.parentElement || e.getRootNode().host) {
      const box = e.getBoundingClientRect();
      if (rects.every(([left, top, right, bottom]) =>
        box.left <= left + 1 && box.top <= top + 1 && box.right >= right - 1 && box.bottom >= bottom - 1)) return e;
    }
    throw new Error('no element is around the text');
  },
}"""


class Described(Protocol):
    """What must be known of the element."""

    @property
    def path(self) -> list[int]:
        """Child indexes from the document."""
        ...

    @property
    def role(self) -> str:
        """ARIA role, or empty."""
        ...

    @property
    def name(self) -> str:
        """Accessible name, or empty."""
        ...

    @property
    def sure(self) -> bool:
        """Whether nobody can compute another name for it. Acting is strict: a name that two have is refused there."""
        ...


def at(frame: Frame, path: Sequence[int]) -> Locator:
    """The element at a path in a frame, now."""
    return frame.locator(f"{ENGINE}={'.'.join(map(str, path))}")


async def selector_of(frame: Frame, seen: Described, *, inner: bool, alone: bool) -> str:
    """Role and exact name if they mean this element alone, else with words of its row or section, else Playwright's.

    A count (`nth=1`) still finds something after the rows have changed, and then it is the wrong one: it comes last.
    `inner` is true for a frame below the main one: then the selector leads there from the page. `alone` says that
    nothing else on the page was called the same.
    """
    own = (
        f"internal:role={seen.role}[name={quoted(seen.name)}s]"
        if seen.role and 0 < len(seen.name) < LONGEST_NAME
        else ""
    )
    if own and alone and not inner and (seen.sure or await means(frame, own, seen.path)):
        return own
    if not alone and not inner and (anchored := await by_surroundings(frame, seen, own)):
        return anchored
    normalized = await normalize(at(frame, seen.path))
    if not COUNTING.search(normalized) or not (alone or inner):
        return normalized
    prefix, enter, _ = normalized.rpartition(ENTER_FRAME)
    anchored = await by_surroundings(frame, seen, own)
    return f"{prefix}{enter}{anchored}" if anchored else normalized


async def by_surroundings(frame: Frame, seen: Described, own: str) -> str:
    """A selector by the words of its row, card or section, or an empty string."""
    ends = [own, f"internal:role={seen.role}" if seen.role else "", f"internal:text={quoted(seen.name)}s"]
    for area, text in await frame.evaluate(f"(path) => {{ {ANCHORS} return anchors(path); }}", seen.path):
        for end in filter(None, ends):
            selector = f"{area} >> internal:has-text={quoted(text)}i >> {end}"
            if await means(frame, selector, seen.path):
                return selector
    return ""


async def look_alikes(page: Page, selector: str) -> int:
    """How many elements of its document the selector would find if it did not count; 0 for one that does not."""
    frame, enter, own = selector.rpartition(ENTER_FRAME)
    if not COUNTING.search(own):
        return 0
    try:
        return await page.locator(f"{frame}{enter}{COUNTS.sub('', own)}").count()
    except Error:
        if page.is_closed():
            raise
        return 0  # nothing is left of it without its counts


async def means(frame: Frame, selector: str, path: list[int]) -> bool:
    """Whether the selector finds the element at the path and no other, as far as the page lets anyone look."""
    try:
        paths = await frame.locator(selector).evaluate_all(f"(es) => {{ {PATHS} return es.slice(0, 2).map(pathOf); }}")
    except Error as error:
        if "TypeError" not in error.message:
            raise
        return False  # the page has put its own in the place of what scripts need
    return bool(paths == [path])


async def normalize(locator: Locator) -> str:
    """Playwright's best semantic selector, as text: there is no public way to ask a locator for it."""
    normalized = await locator.normalize()
    return str(normalized._impl_obj._selector)


def quoted(text: str) -> str:
    """As Playwright's selectors want it."""
    return json.dumps(text, ensure_ascii=False)
