"""Reads the table of models: a TOML file, a table for each name. What is wrong is named by file, table and key."""

import re
import tomllib
from collections.abc import Collection, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from api import providers
from api.models import INSTRUCTIONS, Configured, Prices
from api.providers import PROVIDERS
from eventstore.errors import CannotOpen
from eventstore.secrets import Secret

MOST_BYTES = 1 << 20
MOST_MODELS = 200
MOST_HEADERS = 20
MOST_NAME = 200

Text = Annotated[str, Meta(min_length=1, max_length=1_000)]
Seconds = Annotated[float, Meta(gt=0, le=3_600)]

_MESSAGE = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<where>.*)`)?", re.DOTALL)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_KEYS = {"key", "api_key", "apikey", "token", "secret"}
_SECRET_HEADERS = {"authorization", "api-key", "x-api-key", "cookie"}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One table. What is left out is the provider's, or the runner's. Keys stand elsewhere, and are named here."""

    provider: str
    model: Text | None = None
    base_url: Text | None = None
    key_env: Text | None = None
    key_file: Text | None = None
    api_version: Text | None = None
    deployment: Text | None = None
    headers: dict[str, str] = {}
    headers_env: dict[str, str] = {}
    vision: bool | None = None
    fallback: Text | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    max_output_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    call_seconds: Seconds | None = None
    quiet_seconds: Seconds | None = None
    structured: Literal["auto", "json_schema", "json_object", "prompt"] | None = None
    max_concurrent: Annotated[int, Meta(ge=1, le=1_000)] | None = None
    prices: Prices | None = None


class Wrong(Exception):
    """What is wrong at a key of the table."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(why)
        self.key = key


def read(path: Path, environ: Mapping[str, str]) -> tuple[Configured, ...]:
    """The models of the file, in its order. Raises CannotOpen in a sentence that repeats no key."""
    tables = _tables(path)
    found: list[Configured] = []
    for name, table in tables.items():
        try:
            found.append(_model(name, table, path, environ))
        except Wrong as wrong:
            raise CannotOpen(f'{path}, table "{name}", key "{wrong.key}": {wrong}.') from None
    for model in found:
        _check_fallback(path, model, tables)
    return tuple(found)


def _tables(path: Path) -> dict[str, dict[str, object]]:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        tables = tomllib.loads(data.decode(), parse_float=Decimal) if len(data) <= MOST_BYTES else {}
    except OSError as error:
        raise CannotOpen(f"The table of models {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise CannotOpen(f"The table of models {path} is not TOML: {error}.") from error
    if not 1 <= len(tables) <= MOST_MODELS:
        raise CannotOpen(f"The table of models {path} should have 1 to {MOST_MODELS} tables, such as [small].")
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise CannotOpen(
                f'{path}: "{name}" stands in no table. Write the name of a model above it, such as [small].'
            )
        if name == INSTRUCTIONS or not 1 <= len(name) <= MOST_NAME or not name.isprintable() or "*" in name:
            raise CannotOpen(f'{path}: "{name}" cannot be the name of a model. Take another one, without *.')
    return tables


def _model(name: str, table: dict[str, object], path: Path, environ: Mapping[str, str]) -> Configured:
    entry = _entry(table)
    provider = PROVIDERS[entry.provider]
    address = _address(entry)
    secret = _key(entry, path, environ)
    if secret is None and provider.keys and (not provider.base_url or address == provider.base_url):
        raise Wrong("key_env", f"there is no key; set {provider.keys[0]}, or say key_env or key_file")
    model = entry.model or entry.deployment or name
    return Configured(
        name=name,
        provider=entry.provider,
        model=model,
        base_url=address,
        key=secret,
        api_version=entry.api_version or "",
        deployment=entry.deployment or "",
        headers=_headers(entry, environ),
        vision=providers.sees(entry.provider, model) if entry.vision is None else entry.vision,
        fallback=entry.fallback or "",
        temperature=entry.temperature,
        max_output_tokens=entry.max_output_tokens,
        call_seconds=entry.call_seconds,
        quiet_seconds=entry.quiet_seconds,
        structured=entry.structured,
        max_concurrent=entry.max_concurrent,
        prices=entry.prices,
    )


def _entry(table: dict[str, object]) -> Entry:
    for key, value in table.items():
        if key in _KEYS:
            raise Wrong(key, "a key does not stand in this file; name its variable (key_env) or its file (key_file)")
        if key not in Entry.__struct_fields__:
            quotes = 'a name with a dot stands in quotes, as in ["gpt-4.1"]; ' if isinstance(value, dict) else ""
            raise Wrong(key, f"{quotes}there is no such key; there are: {', '.join(Entry.__struct_fields__)}")
    if table.get("provider") not in PROVIDERS:
        raise Wrong("provider", f"should be one of {', '.join(PROVIDERS)}")
    try:
        entry = msgspec.convert(table, Entry)
    except msgspec.ValidationError as error:
        said = _MESSAGE.fullmatch(str(error))
        what, where = (said["what"], said["where"]) if said else (str(error), None)
        raise Wrong(where or "provider", what.replace(" | null", "")) from None
    if entry.provider != "azure" and (entry.api_version or entry.deployment):
        raise Wrong("api_version" if entry.api_version else "deployment", "is for azure alone")
    prices = msgspec.structs.astuple(entry.prices) if entry.prices else ()
    if not all(each is None or (each.is_finite() and 0 <= each < 1_000_000) for each in prices):
        raise Wrong("prices", "should be US dollars per million tokens, 0 at least")
    return entry


def _address(entry: Entry) -> str:
    said = entry.base_url or PROVIDERS[entry.provider].base_url
    if not said:
        raise Wrong("base_url", f"is missing; {entry.provider} has no address of its own")
    try:
        address = providers.base_url(said)
    except ValueError as error:
        raise Wrong("base_url", str(error)) from None
    return providers.azure(address, entry.api_version or "") if entry.provider == "azure" else address


def _key(entry: Entry, path: Path, environ: Mapping[str, str]) -> Secret | None:
    if entry.key_env and entry.key_file:
        raise Wrong("key_file", "there is key_env too; say one of them")
    try:
        if entry.key_env:
            return _variable("key_env", entry.key_env, environ)
        if entry.key_file:
            return providers.key((path.parent / Path(entry.key_file).expanduser()).read_text("utf-8")[:MOST_BYTES])
        return _usual_key(entry, environ)
    except OSError as error:
        raise Wrong("key_file", f"cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise Wrong("key_file" if entry.key_file else "key_env", str(error)) from None


def _usual_key(entry: Entry, environ: Mapping[str, str]) -> Secret | None:
    """The key in the provider's own variables, for its own address alone. Raises ValueError."""
    provider = PROVIDERS[entry.provider]
    own = not provider.base_url or (entry.base_url or provider.base_url).rstrip("/") == provider.base_url
    values = [environ[name] for name in provider.keys if environ.get(name)]
    return providers.key(values[0]) if own and values else None


def _headers(entry: Entry, environ: Mapping[str, str]) -> dict[str, Secret]:
    if len(entry.headers) + len(entry.headers_env) > MOST_HEADERS:
        raise Wrong("headers", f"at most {MOST_HEADERS} are allowed")
    for name, value in entry.headers.items():
        if name.lower() in _SECRET_HEADERS:
            raise Wrong(f"headers.{name}", "a key does not stand in this file; name its variable in headers_env")
        if not value.isascii() or not value.isprintable():
            raise Wrong(f"headers.{name}", "should be printable ASCII characters")
    plain = {name: Secret(value) for name, value in entry.headers.items()}
    secret = {name: _variable(f"headers_env.{name}", value, environ) for name, value in entry.headers_env.items()}
    for name in plain | secret:
        if not _HEADER.fullmatch(name):
            raise Wrong("headers", "the name of a header should be letters, digits and hyphens")
    return plain | secret


def _variable(at: str, name: str, environ: Mapping[str, str]) -> Secret:
    if not environ.get(name):  # not repeated: it may be the key itself, put in the wrong place
        raise Wrong(at, "should be the name of a variable of the environment that is set")
    try:
        return providers.key(environ[name])
    except ValueError as error:
        raise Wrong(at, f"the variable {error}") from None


def _check_fallback(path: Path, model: Configured, names: Collection[str]) -> None:
    """Two may stand in for each other: whoever is asked asks each once."""
    if model.fallback and (model.fallback not in names or model.fallback == model.name):
        others = [name for name in names if name != model.name]
        why = f"should be another table of this file; there are: {', '.join(others[:20]) or 'none'}"
        raise CannotOpen(f'{path}, table "{model.name}", key "fallback": {why}.')
