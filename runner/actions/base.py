"""What every act has: a name, how much it may have changed, and in whose words its element is named."""

from enum import StrEnum
from typing import ClassVar

import msgspec


class Effect(StrEnum):
    """How much an act may have changed, which decides what can be done again after a crash.

    LOOK changes nothing; LOCAL changes only the page (typing, selecting, checking, scrolling); NAVIGATION can be had
    again by opening the URL; LASTING (a click, a key, a submit) is never repeated silently. FILE changes only the
    task's own files: with its end it is on the tape or it is not, so nobody wonders about it, and what is done is done.
    """

    LOOK = "look"
    LOCAL = "local"
    NAVIGATION = "navigation"
    LASTING = "lasting"
    FILE = "file"


class Query(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an element is called, in a user's words. It must resolve to exactly one element.

    `text` is literal. `kind` is a word such as button, link, field, checkbox, heading, or empty for any.
    `ordinal` counts from 1 in document order, -1 is the last, 0 means that there may be only one.
    `row`, `within` and `near` narrow: the row, list item or card that holds the text; the region, group, dialog or
    section of that name; the candidate closest to that text. `above`, `below`, `left_of` and `right_of` are the text
    on whose that side it stands, and `column` the header of its table's column. `index` is a reference from an
    observation, 0 for none.
    `selector` is that of a Target on the tape: the element that an earlier act was about, whose role, name and row are
    then `kind`, `text` and `row`, and `among` is how many looked the same.
    """

    text: str = ""
    kind: str = ""
    ordinal: int = 0
    row: str = ""
    within: str = ""
    near: str = ""
    above: str = ""
    below: str = ""
    left_of: str = ""
    right_of: str = ""
    column: str = ""
    index: int = 0
    selector: str = ""
    among: int = 0


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act. `effect` and `name` are of the class.

    `leaves` tells that the page, or the tab, is another one afterwards: what was planned after it for the page before
    is not done.
    """

    name: ClassVar[str]
    effect: ClassVar[Effect]
    leaves: ClassVar[bool] = False
