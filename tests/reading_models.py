"""A scripted model that acts on what it is shown: it looks the indexes up on the page that the request tells."""

import re
from collections.abc import Callable
from typing import Any

from tests.model_server import Asked
from tests.modelled import says

Acts = list[dict[str, Any]]


def indexes(asked: Asked, named: str) -> list[int]:
    """The indexes of the elements on the page with that in their lines, such as `button "Buy"`."""
    page = asked.last.partition("# The page now")[2]
    return [int(found) for found in re.findall(rf"\[(\d+)\] [^\n]*{re.escape(named)}", page)]


def index(asked: Asked, named: str) -> int:
    """The index of the only such element."""
    found = indexes(asked, named)
    assert 1 == len(found), f"{named} is there {len(found)} times:\n{asked.last}"
    return found[0]


def doing(acts: Callable[[Asked], Acts], *, goal: str) -> Callable[[Asked], str]:
    """A turn that does what the function says of the request."""

    def turn(asked: Asked) -> str:
        return says(*acts(asked), goal=goal)

    return turn


def click(named: str) -> Callable[[Asked], str]:
    """A turn that clicks the element."""
    return doing(lambda asked: [{"click": {"index": index(asked, named)}}], goal=f"click {named}")
