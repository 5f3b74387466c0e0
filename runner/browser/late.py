"""Why an act did not end in time, in a sentence, as far as Playwright's call log tells."""

import re

from playwright.async_api import Error


def late(error: Error, seconds: float) -> str:
    """For a limit of so many seconds."""
    covers = re.findall(r"(<[^>]*>)[^\n]* intercepts pointer events", error.message)
    if covers:
        return f"The target stayed covered by {covers[-1]} for {seconds:g} s."
    for sign, words in (
        ("element is not enabled", "stayed disabled"),
        ("element is not stable", "kept moving"),
        ("element is not visible", "stayed hidden"),
        ("element is outside of the viewport", "stayed outside the viewport"),
        ("element is not editable", "could not be typed into"),
    ):
        if sign in error.message:
            return f"The target {words} for {seconds:g} s."
    if "performing" in error.message:
        return f"The act was begun, but the page did not answer within {seconds:g} s."
    if "waiting for locator" in error.message or "waiting for get_by" in error.message:
        return f"The target went away and did not come back within {seconds:g} s."
    return f"This took longer than {seconds:g} s: {error.message.splitlines()[0]}"
