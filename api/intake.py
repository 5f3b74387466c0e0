"""What a task may be asked: checks that every family shares, in no family's words.

Each check takes a value and `at`, the name of the field in the client's own words, and raises Invalid there.
"""

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal

import jsonschema_rs
import msgspec
from msgspec import UNSET

from api import hosts, wire
from api.settings import Settings
from eventstore.errors import Invalid
from eventstore.events import Limits, TaskCreated
from eventstore.secrets import Secrets

MAX_TASK = 50_000
MAX_DOMAINS = 500
MAX_PAIRS = 10
MAX_KEY = 100
MAX_VALUE = 1_000
MAX_URL = 8_192
MAX_PATTERN = 1_000
MAX_SECRETS = 50
MAX_SECRET = 4_096
MAX_SECRETS_TOGETHER = 32_768
TELLING = 8
"""A value of so many characters does not stand in a text by chance."""


def digest(family: str, body: bytes) -> str:
    """SHA-256 hex of what was asked: the order of keys and the spaces between them do not count.

    Fields that nobody knows count as well, so that what stands in them must be readable. Raises Invalid.
    """
    try:
        canonical = json.dumps(wire.decode(body, object), sort_keys=True, separators=(",", ":"))
    except RecursionError as error:
        raise Invalid("The body is nested too deeply.", field=("body",)) from error
    return hashlib.sha256(f"{family}\n{canonical}".encode()).hexdigest()


def instruction(text: str, at: str) -> str:
    """The task as it was sent; it must hold more than white space."""
    if not text.strip():
        raise _wrong(at, "The task must not be empty.")
    return text


def metadata(pairs: dict[str, str] | None, at: str) -> dict[str, str]:
    """At most 10 pairs; keys of 1 to 100 characters, values of at most 1,000."""
    pairs = pairs or {}
    if len(pairs) > MAX_PAIRS:
        raise _wrong(at, f"At most {MAX_PAIRS} pairs are allowed.")
    for key, value in pairs.items():
        if not 1 <= len(key) <= MAX_KEY:
            raise _wrong(at, f"A key must have 1 to {MAX_KEY} characters.")
        if len(value) > MAX_VALUE:
            raise _wrong(at, f"A value must have at most {MAX_VALUE} characters.", key)
    return pairs


def secrets(given: Secrets | None, at: str, created: TaskCreated) -> None:
    """At most 50 secrets: names of 1 to 100 characters, values of 1 to 4,096, and 32,768 in all.

    No answer repeats a value. One that stands in what would go on the tape is refused.
    """
    given = given or {}
    if len(given) > MAX_SECRETS:
        raise _wrong(at, f"At most {MAX_SECRETS} secrets are allowed.")
    for name, secret in given.items():
        if not 1 <= len(name) <= MAX_KEY or not name.isprintable() or set(name) & set('<>"\\'):
            raise _wrong(at, f'A name must have 1 to {MAX_KEY} printable characters, none of them < > " or \\.')
        if not 1 <= len(secret.reveal()) <= MAX_SECRET:
            raise _wrong(at, f"A value must have 1 to {MAX_SECRET} characters.", name)
        if any(len(secret.reveal()) >= TELLING and secret.reveal() in text for text in _texts(created)):
            why = f"The request says the value of this secret elsewhere; write <secret>{name}</secret> in its place."
            raise _wrong(at, why, name)
    if sum(len(secret.reveal()) for secret in given.values()) > MAX_SECRETS_TOGETHER:
        raise _wrong(at, f"The values may have at most {MAX_SECRETS_TOGETHER} characters in all.")


def domains(patterns: list[str] | None, at: str) -> tuple[str, ...]:
    """The patterns as `hosts.pattern` writes them, each once. An empty list allows every domain."""
    patterns = patterns or []
    if len(patterns) > MAX_DOMAINS:
        raise _wrong(at, f"At most {MAX_DOMAINS} domains are allowed.")
    found: dict[str, None] = {}
    for index, text in enumerate(patterns):
        host = hosts.pattern(text)
        if host is None:
            raise _wrong(at, f'"{text}" is not a domain; write a host (example.com) or *.host (*.example.com).', index)
        found[host] = None
    return tuple(found)


def start_url(text: str | None, at: str) -> str:
    """An http or https URL, or a bare host with what follows it, as it was sent; empty for none.

    A name or password in it would stay on the tape for ever, so it is refused.
    """
    text = (text or "").strip()
    if text and (len(text) > MAX_URL or not hosts.is_web(text)):
        raise _wrong(
            at, f"The start URL must be an http or https URL without user name, of at most {MAX_URL} characters."
        )
    return text


def output_schema(given: str | dict[str, object] | None, at: str) -> str:
    """The JSON Schema as text, or empty for none. A reference to another document is refused, not fetched."""
    if given is None or (isinstance(given, str) and not given.strip()):
        return ""
    schema = _parsed(given, at) if isinstance(given, str) else given
    if not isinstance(schema, dict):
        raise _wrong(at, "A JSON Schema must be a JSON object.")
    try:
        jsonschema_rs.validator_for(schema, offline=True)
        return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, separators=(",", ":"))
    except jsonschema_rs.ValidationError as error:
        raise _wrong(at, f"This is not a valid JSON Schema: {error.message}") from error
    except (ValueError, RecursionError) as error:
        raise _wrong(at, f"This is not a valid JSON Schema: {error}") from error


def unsupported(value: object, at: str, *inside: str) -> None:
    """Refuse what cannot be honoured, instead of dropping it in silence; empty and absent values ask for nothing."""
    if value is not UNSET and value:
        raise _wrong(at, "This version does not support this field yet; leave it out.", *inside)


def sent(asked: msgspec.Struct, names: Iterable[str]) -> dict[str, object]:
    """The fields of these names that the client sent, under the client's words; those left out are UNSET."""
    words = {field.name: field.encode_name for field in msgspec.structs.fields(asked)}
    return {words[name]: value for name in names if (value := getattr(asked, name)) is not UNSET}


def limits(settings: Settings, max_steps: int) -> Limits:
    """How far the task may go, and what follows then."""
    return Limits(
        max_steps=max_steps,
        task_seconds=settings.task_seconds,
        step_seconds=settings.step_seconds,
        action_seconds=settings.action_seconds,
        max_tokens=settings.max_tokens,
        max_cost_usd=f"{Decimal(repr(settings.max_cost_usd)):f}" if settings.max_cost_usd else "",
        breach=settings.on_limit,
    )


def _texts(created: TaskCreated) -> Iterable[str]:
    """What the client wrote and the tape keeps."""
    yield from (created.instruction, created.start_url, created.output_schema, created.options.given)
    yield from (created.agent.extension, created.agent.ground_truth)
    yield from (*created.allowed_domains, *created.metadata, *created.metadata.values(), *created.secrets)


def _parsed(text: str, at: str) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _wrong(at, f"This is not valid JSON: {error}") from error


def _wrong(at: str, message: str, *inside: str | int) -> Invalid:
    return Invalid(message, field=("body", at, *inside))
