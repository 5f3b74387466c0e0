"""Downloads are bounded in number and in bytes, and an act says what it has brought."""

import asyncio
from pathlib import Path

from runner.inbox import MOST_FILES, Inbox

PLACE = Path("there")


def inbox(kept: list[str], *, most_bytes: int = 100, used: int = 0) -> Inbox:
    return Inbox(lambda name, _path: kept.append(name), most_bytes=most_bytes, used=used)


async def test_a_whole_file_is_kept_under_a_safe_name_once() -> None:
    kept: list[str] = []
    box = inbox(kept)

    goes_on = [box.begin("1", "../a\x00.csv"), box.grow("1", 10, 20), box.grow("1", 20, 20)]
    box.end("1", PLACE)
    box.end("1", PLACE)

    assert ([True] * 3, ["a_.csv"], "; downloaded a_.csv") == (goes_on, kept, await box.told(0, expected=True))


async def test_more_bytes_than_a_task_may_have_end_a_download() -> None:
    kept: list[str] = []
    box = inbox(kept, used=40)

    goes_on = [box.begin("1", "a"), box.grow("1", 60, 0), box.begin("2", "b"), box.grow("2", 1, 0)]
    box.end("1", PLACE)
    box.end("2", PLACE)
    again = [box.begin("3", "c"), box.grow("3", 0, 0), box.grow("3", 0, 10**9)]
    box.end("3", None)

    assert ([True, True, True, False], ["a"], [True, True, False]) == (goes_on, kept, again)
    assert "b was not downloaded: a task downloads at most 100 bytes" in await box.told(1, expected=False)


async def test_more_files_than_a_task_may_have_are_refused() -> None:
    box = inbox([])

    goes_on = [box.begin(f"{number}", "a") for number in range(MOST_FILES + 3)]

    assert [True] * MOST_FILES + [False] * 3 == goes_on
    assert MOST_FILES + 1 == box.mark


async def test_what_broke_off_is_told_and_nothing_is_said_of_what_nobody_knows() -> None:
    kept: list[str] = []
    box = inbox(kept)

    box.begin("1", "a")
    box.end("1", None)
    box.end("unknown", PLACE)

    assert ("; a was not downloaded: it broke off", []) == (await box.told(0, expected=False), kept)
    assert ("", False) == (await box.told(1, expected=False), box.grow("unknown", 1, 1))


async def test_an_act_waits_for_the_file_that_it_asked_for() -> None:
    kept: list[str] = []
    box = inbox(kept)
    telling = asyncio.create_task(box.told(0, expected=True))
    await asyncio.sleep(0)

    box.begin("1", "a")
    await asyncio.sleep(0)
    box.end("1", PLACE)

    assert "; downloaded a" == await telling
