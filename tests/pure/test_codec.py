"""What was ever written can be read for ever, and writing never loses a field."""

from pathlib import Path

import msgspec
import pytest

from eventstore import codec
from eventstore import events as e

LINES = (Path(__file__).parents[1] / "golden" / "events.jsonl").read_bytes().splitlines()


def test_every_event_has_a_golden_line() -> None:
    written = {msgspec.json.decode(line)["type"] for line in LINES}

    assert set(codec.TYPES) == written


def told(value: object, line: object) -> object:
    """As much of the value as the line could know: fields that came later have their defaults."""
    if isinstance(value, dict) and isinstance(line, dict):
        return {name: told(each, line[name]) for name, each in value.items() if name in line}
    return value


@pytest.mark.parametrize("line", LINES, ids=lambda line: msgspec.json.decode(line)["type"])
def test_a_golden_line_still_says_what_it_said(line: bytes) -> None:
    kind = msgspec.json.decode(line)["type"]

    event = codec.decode(kind, line)

    assert kind == codec.type_of(event)
    assert msgspec.json.decode(line) == told(msgspec.json.decode(codec.encode(event)), msgspec.json.decode(line))


def test_a_field_that_was_not_there_yet_has_its_default() -> None:
    event = codec.decode("task.pause_requested", b'{"type":"task.pause_requested"}')

    assert e.PauseRequested() == event


def test_defaults_are_written_so_that_a_later_default_changes_no_history() -> None:
    payload = codec.encode(e.PauseRequested())

    assert b'{"type":"task.pause_requested","reason":"","command_id":""}' == payload


def test_a_newer_type_is_carried_and_not_read() -> None:
    event = codec.decode("task.dreamed", b'{"type":"task.dreamed","of":"sheep"}')

    assert e.Unknown(original="task.dreamed") == event
    assert "task.dreamed" == codec.type_of(event)


DAMAGED = {
    "redacted": None,
    "empty": b"",
    "cut": b"{",
    "no object": b"[]",
    "another shape": b'{"type":"task.claimed","runner":7}',
    "no UTF-8": b'{"type":"task.claimed","runner":"\xff","attempt":1}',
    "nested without end": b'{"type":"task.claimed","runner":"r","attempt":1,"more":' + b"[" * 100_000,
}


@pytest.mark.parametrize("payload", DAMAGED.values(), ids=DAMAGED)
def test_a_payload_that_is_gone_or_damaged_is_carried_and_not_read(payload: bytes | None) -> None:
    event = codec.decode("task.claimed", payload)

    assert e.Unknown(original="task.claimed") == event
