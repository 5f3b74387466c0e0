"""A scripted model that acts on what it is shown: it looks the indexes up on the page that the request tells."""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.model_server import Asked
from tests.modelled import says

Acts = list[dict[str, Any]]


def index(asked: Asked, named: str) -> int:
    """The index of the only element on the page with that in its line, such as `button "Buy"`."""
    page = asked.last.partition("# The page now")[2]
    found = re.findall(rf"\[(\d+)\] [^\n]*{re.escape(named)}", page)
    assert 1 == len(found), f"{named} is there {len(found)} times:\n{asked.last}"
    return int(found[0])


def doing(acts: Callable[[Asked], Acts], *, goal: str) -> Callable[[Asked], str]:
    """A turn that does what the function says of the request."""

    def turn(asked: Asked) -> str:
        return says(*acts(asked), goal=goal)

    return turn


def click(named: str) -> Callable[[Asked], str]:
    """A turn that clicks the element."""
    return doing(lambda asked: [{"click": {"index": index(asked, named)}}], goal=f"click {named}")


def text_after(asked: Asked, words: str) -> str:
    """What stands on the page behind these words, on the same line."""
    line = asked.last.partition("# The page now")[2].partition(words)[2].partition("\n")[0]
    return json.dumps(line).strip('"').strip()
