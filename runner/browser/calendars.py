"""Choosing a day in a calendar that a field opens: turn its pages to the month, click the day. Bounded; no guesses."""

import datetime
import re

import msgspec
from playwright.async_api import ElementHandle, Error

from runner.browser.resolve import Scene
from runner.browser.selectors import HERE, NAMES, at
from runner.browser.targets import until
from runner.browser.wishes import Found, describe
from runner.vocabulary import ActFailed

SCRIPT = NAMES + (HERE / "calendars.js").read_text(encoding="utf-8")
MOST_PAGES = 120
"""Ten years of months."""

OPEN_SECONDS = 2.0
TURN_SECONDS = 2.0


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """How many are `open`; of the one its year and month, and the paths of the day and of the buttons."""

    open: int
    month: tuple[int, int] | None = None
    day: list[int] | None = None
    usable: bool = False
    next: list[int] | None = None
    previous: list[int] | None = None


async def pick_day(scene: Scene, value: str, found: Found) -> str:
    """The value is an ISO date. Raises ActFailed: bad_value where no calendar can tell."""
    if "T" in value:
        raise ActFailed("bad_value", f"{describe(found.seen)} takes no time; set the date, and then the time.")
    day = datetime.date.fromisoformat(value)
    # A calendar inside of the field's label is a part of its name: from here on it is this very element.
    field = await found.locator.element_handle(timeout=scene.milliseconds)
    before = await _value(field)
    await found.locator.click(timeout=scene.milliseconds, no_wait_after=True)

    async def opened() -> Calendar | None:
        seen = await _look(scene, day.day)
        return seen if seen.open == 1 else None

    seen = await until(opened, min(OPEN_SECONDS, scene.seconds))
    if seen is None:
        raise ActFailed(
            "bad_value",
            f"{describe(found.seen)} opens no calendar that can be read; type the date as it wants it, "
            f'as in type "{day:%d.%m.%Y}" into it.',
        )
    seen = await _turned(scene, seen, day)
    if seen.day is None or not seen.usable:
        raise ActFailed("bad_value", f"The calendar of {describe(found.seen)} does not offer {value}.")
    await _click(scene, seen.day)

    async def taken() -> bool | None:
        return says_day(await _value(field), day) or None

    if not await until(taken, min(TURN_SECONDS, scene.seconds)):
        has = await _value(field)
        raise ActFailed("failed", f'{describe(found.seen)} had "{before}" and has "{has}", which is not {value}.')
    return f"set {describe(found.seen)} to {value}"


async def _turned(scene: Scene, seen: Calendar, day: datetime.date) -> Calendar:
    """At the page of that month. Raises ActFailed where it cannot be reached."""
    wanted = (day.year, day.month)
    for _ in range(MOST_PAGES):
        if seen.month is None or seen.month == wanted:
            break
        month, button = seen.month, seen.next if seen.month < wanted else seen.previous
        if button is None:
            raise ActFailed("bad_value", f"The calendar cannot be turned from {month[0]}-{month[1]:02} to {day}.")
        await _click(scene, button)

        async def turned(before: tuple[int, int] = month) -> Calendar | None:
            now = await _look(scene, day.day)
            return now if now.open == 1 and now.month not in (None, before) else None

        now = await until(turned, min(TURN_SECONDS, scene.seconds))
        if (
            now is None
            or now.month is None
            or abs(_months(now.month) - _months(wanted)) >= abs(_months(month) - _months(wanted))
        ):
            raise ActFailed("bad_value", f"The calendar did not turn from {month[0]}-{month[1]:02} towards {day}.")
        seen = now
    if seen.month != wanted:
        raise ActFailed("bad_value", f"The calendar was not brought to {day:%Y-%m}.")
    return seen


async def _value(field: ElementHandle) -> str:
    return str(await field.evaluate("(e) => e.value ?? e.innerText"))


async def _click(scene: Scene, path: list[int]) -> None:
    """Click this very element, once. Calendars draw themselves anew in the midst of it; what it did is seen after."""
    element = await at(scene.page.main_frame, path).element_handle(timeout=scene.milliseconds)
    try:
        await element.click(timeout=scene.milliseconds, no_wait_after=True)
    except Error as error:
        if scene.page.is_closed() or "not attached" not in error.message:
            raise
    finally:
        await element.dispose()


async def _look(scene: Scene, day: int) -> Calendar:
    raw = await scene.page.evaluate(f"(day) => {{ {SCRIPT} return calendar(day); }}", day)
    return msgspec.convert(raw, Calendar)


def _months(month: tuple[int, int]) -> int:
    return month[0] * 12 + month[1]


def says_day(text: str, day: datetime.date) -> bool:
    """Whether a field says that day, in whatever order; a month that stands there as a word is believed."""
    written = [int(each) for each in re.findall(r"[0-9]{1,8}", text)]
    for year in (day.year, day.year % 100):
        numbers = list(written)
        for part in (year, day.day):
            if part not in numbers:
                break
            numbers.remove(part)
        else:
            return day.month in numbers or any(letter.isalpha() for letter in text)
    return False
