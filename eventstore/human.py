"""What a person can do by hand in a browser that he has taken over: one input at a time. Pure."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from eventstore.errors import Invalid

Act = Literal[
    "move", "down", "up", "click", "wheel", "key_down", "key_up", "press", "type", "paste",
    "navigate", "back", "forward", "reload", "switch_tab", "close_tab",
]  # fmt: skip
Button = Literal["left", "middle", "right"]
Place = Annotated[float, Meta(ge=-100_000, le=100_000)]

NEEDS: dict[Act, str] = {
    "key_down": "key",
    "key_up": "key",
    "press": "key",
    "type": "text",
    "paste": "text",
    "navigate": "url",
    "switch_tab": "tab",
}
"""Without this field the act says nothing."""


class HumanInput(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One input. Which fields count follows from `act`.

    `x` and `y` are CSS pixels of the viewport (move, down, up, click, wheel), `button` and `count` are of down, up and
    click, `dx` and `dy` of wheel. `key` is a key or, for press, a chord in Playwright's spelling, such as a, Enter or
    Control+A. `text` is what is typed or pasted, `url` where to navigate, `tab` counts from 1 in the order in which the
    tabs were opened (switch_tab, close_tab; 0 is the current one).
    """

    act: Act
    x: Place = 0.0
    y: Place = 0.0
    button: Button = "left"
    count: Annotated[int, Meta(ge=1, le=3)] = 1
    dx: Place = 0.0
    dy: Place = 0.0
    key: Annotated[str, Meta(max_length=40)] = ""
    text: Annotated[str, Meta(max_length=10_000)] = ""
    url: Annotated[str, Meta(max_length=4_096)] = ""
    tab: Annotated[int, Meta(ge=0, le=100)] = 0


class HumanOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one input: where the page is afterwards, and a sentence where something went wrong."""

    url: str
    problem: str = ""


def check(asked: HumanInput) -> None:
    """Raises Invalid, naming the field that is missing."""
    name = NEEDS.get(asked.act, "")
    if name and not getattr(asked, name):
        raise Invalid(f"{asked.act} needs a {name}.", field=("body", name))
