"""When a model is asked again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from runner.llm.pace import HOLD_SECONDS, Pace, pause, retry_after


@pytest.mark.parametrize(
    ("value", "milliseconds", "seconds"),
    [
        ("", "", None),
        ("7", "", 7.0),
        ("0.5", "", 0.5),
        ("7", "1500", 1.5),
        ("7", "soon", 7.0),
        ("-3", "", None),
        ("nan", "", None),
        ("inf", "", None),
        ("soon", "", None),
        ("Fri, 31 Dec 1999 23:59:59 GMT", "", 0.0),
        ("Fri, 31 Dec 1999 23:59:59", "", 0.0),
    ],
)
def test_both_forms_of_retry_after_are_read_and_nonsense_is_not(
    value: str, milliseconds: str, seconds: float | None
) -> None:
    assert seconds == retry_after(value, milliseconds)


def test_a_date_to_come_is_as_far_away_as_it_is() -> None:
    seconds = retry_after(format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True))

    assert seconds is not None
    assert 80_000 < seconds <= 86_400


def test_pauses_grow_and_end_growing() -> None:
    assert all(0.25 <= pause(0) <= 0.5 for _ in range(50))
    assert all(1.0 <= pause(2) <= 2.0 for _ in range(50))
    assert all(4.0 <= pause(attempt) <= 8.0 for attempt in (4, 50, 1000))


def test_an_endpoint_is_held_for_the_longest_that_was_asked_for_and_no_longer_than_a_minute() -> None:
    pace = Pace(1, now=lambda: 100.0)

    pace.hold(20.0)
    pace.hold(5.0)
    assert 20.0 == pace.closed_for

    pace.hold(86_400.0)
    assert HOLD_SECONDS == pace.closed_for
