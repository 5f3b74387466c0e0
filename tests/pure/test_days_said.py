"""Whether a field has the day that was chosen for it, however it writes days."""

import datetime

import pytest

from runner.browser.calendars import says_day


@pytest.mark.parametrize(
    ("text", "day", "so"),
    [
        ("2026-12-24", (2026, 12, 24), True),
        ("12/24/26", (2026, 12, 24), True),
        ("24.12.2026", (2026, 12, 24), True),
        ("Thu Dec 24 2026", (2026, 12, 24), True),
        ("26.1.2026", (2026, 1, 26), True),
        ("9/9/2026", (2026, 9, 9), True),
        ("24.11.2026", (2026, 12, 24), False),
        ("9/2026", (2026, 9, 9), False),
        ("December 2026", (2026, 12, 24), False),
        ("2025-12-24", (2026, 12, 24), False),
        ("", (2026, 12, 24), False),
    ],
)
def test_a_day_is_known_again_in_the_field_that_took_it(text: str, day: tuple[int, int, int], so: bool) -> None:
    assert so == says_day(text, datetime.date(*day))
