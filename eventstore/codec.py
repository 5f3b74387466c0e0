"""Events to JSON bytes and back. Old shapes are lifted here, when there are any; nothing is ever raised on history."""

import msgspec

from eventstore.events import AnyEvent, Event, Unknown

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(AnyEvent)

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on damaged bytes: no JSON or another shape, no UTF-8, nested without end."""

TYPES: dict[str, type[Event]] = {kind.__struct_config__.tag: kind for kind in AnyEvent.__args__}


def type_of(event: Event) -> str:
    """The tag under which the event is stored."""
    return event.original if isinstance(event, Unknown) else str(event.__struct_config__.tag)


def kind_of(event: Event) -> type[Event]:
    """What kind of event it is by its tag, though its payload be gone; Unknown for a type that is not known."""
    return TYPES.get(event.original, Unknown) if isinstance(event, Unknown) else type(event)


def encode(event: Event) -> bytes:
    """JSON text, UTF-8, with every field: a default that changes later must not change history.

    Raises ValueError (or TypeError) for what JSON text cannot hold, such as a lone surrogate.
    """
    return _encoder.encode(event)


def decode(kind: str, payload: bytes | None) -> Event:
    """The event, or Unknown where the payload is gone, of a newer type, or of a shape that this version cannot read."""
    if payload is None or kind not in TYPES:
        return Unknown(original=kind)
    try:
        return _decoder.decode(payload)
    except UNREADABLE:
        return Unknown(original=kind)
