"""What is asked of a page and what it answers: wishes, elements as they were seen, and their names in sentences."""

from collections.abc import Sequence

import msgspec
from playwright.async_api import Locator

from eventstore.events import Target
from runner.browser.selectors import HERE, NAMES
from runner.browser.words import ROLES, word
from runner.vocabulary import Query

FIND = NAMES + (HERE / "targets.js").read_text(encoding="utf-8") + (HERE / "scopes.js").read_text(encoding="utf-8")
PLACES = {
    "row": "in the row of",
    "within": "within",
    "near": "near",
    "above": "above",
    "below": "below",
    "left_of": "left of",
    "right_of": "right of",
    "column": "in the column",
}
"""The parts of a query that narrow, and how they are said."""

LOOSE_KINDS = frozenset({"button", "link", "icon", "tab", "option", "choice", "menu item"})


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a native drop-down."""

    label: str
    value: str
    enabled: bool


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One element as the page's script describes it; `box` is x, y, width, height in CSS pixels of its frame.

    `sure` tells that nobody can compute another name for it. `checked` is of native checkboxes and radio buttons,
    `options` of native drop-downs that are not too long.
    """

    path: list[int]
    via: list[int] | None = None
    role: str = ""
    name: str = ""
    tag: str = ""
    classes: str = ""
    secret: bool = False
    row: str = ""
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    enabled: bool = True
    editable: bool = False
    moving: bool = False
    sure: bool = False
    checked: bool | None = None
    options: list[Option] | None = None


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What one frame answers: the matches of its best tier. `settled` tells a page that has been loaded for a while."""

    tier: int | None = None
    matches: list[Seen] = []
    total: int = 0
    settled: bool = True


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One element: `target` for the tape, `locator` to act on, `via` its visible label when it is hidden itself."""

    seen: Seen
    target: Target
    locator: Locator
    via: Locator | None = None


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A query and what it is for: any, fill, select, set, check, expand or upload. `counted`: all that match it."""

    query: Query
    purpose: str = "any"
    counted: bool = False

    def asked(self, listeners: Sequence[Sequence[int]] | None) -> dict[str, object]:
        """The argument of the page's script."""
        kind = self.query.kind.lower().strip()
        if self.purpose == "expand" and kind != "tab":
            kind = ""  # what opens a section is a button, however people call it
        roles = ROLES.get(kind, ())
        return {
            **{name: getattr(self.query, name) for name in ("text", "ordinal", *PLACES)},
            "counted": self.counted,
            "purpose": self.purpose,
            "roles": list(roles) or None,
            "loose": kind in LOOSE_KINDS,
            "scanned": listeners is not None,
            "listeners": list(listeners or ()),
        }

    @property
    def alone(self) -> bool:
        """Whether the name suffices: nothing narrows it."""
        return not (self.query.ordinal or any(getattr(self.query, place) for place in PLACES))

    @property
    def what(self) -> str:
        """Such as `button "Save" in the row of "Beta"`."""
        query, kind = (
            self.query,
            self.query.kind or {"fill": "field", "set": "field", "check": "checkbox"}.get(self.purpose, ""),
        )
        text = f'{kind or "element"} "{query.text}"' if query.text else kind or "element"
        for place, phrase in PLACES.items():
            text += f' {phrase} "{value}"' if (value := getattr(query, place)) else ""
        return text


def describe(seen: Seen, *, row: bool = False) -> str:
    """Such as `button "Delete" in the row "Beta Delete"`."""
    name = f' "{seen.name}"' if seen.name else f" .{seen.classes.replace(' ', '.')}" if seen.classes else ""
    return f"{word(seen.role, seen.tag)}{name}" + (f' in the row "{seen.row}"' if row and seen.row else "")
