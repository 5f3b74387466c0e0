"""Reads the settings from `TAPEWRIGHT_*`, and refuses in a sentence what is wrong or is no setting."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_type_hints

import msgspec
from msgspec import Meta

from api.countries import exits
from api.settings import Settings
from eventstore.errors import CannotOpen
from eventstore.secrets import Secret
from eventstore.vault import key_of

PREFIX = "TAPEWRIGHT_"
_KEYS = frozenset({"api_key", "vault_key", "proxies"})
_CHECKS: Mapping[str, Callable[[str], object]] = {"vault_key": key_of, "proxies": exits}
_INJECTED = re.compile(r"TAPEWRIGHT_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)")


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


def descriptions() -> dict[str, str]:
    """What to say of each variable, for the README and for `--help`."""
    return {variable(name): _description(hint) for name, hint in _hints().items()}


def load(environ: Mapping[str, str], **overrides: object) -> Settings:
    """The settings of this environment; `overrides` (from the command line) win, None means not given.

    An empty variable counts as unset. Raises CannotOpen, naming the variable and what would be right.
    """
    hints = _hints()
    known = {variable(name): name for name in hints}
    environ = {name: value for name, value in environ.items() if not _is_injected(name, value)}
    for name in environ:
        if name.startswith(PREFIX) and name not in known:
            raise CannotOpen(f"{name} is not a setting. There are: {', '.join(known)}.")
    given: dict[str, object] = {name: environ[key] for key, name in known.items() if environ.get(key)}
    given |= {name: value for name, value in overrides.items() if value is not None}
    return Settings(**{name: _read(name, hints[name], value) for name, value in given.items()})  # type: ignore[arg-type] # each value has just been converted to its field's type


def injected(environ: Mapping[str, str]) -> list[str]:
    """The variables that Kubernetes sets for a service that happens to be named tapewright; they are no settings."""
    return sorted(name for name, value in environ.items() if _is_injected(name, value))


def _is_injected(name: str, value: str) -> bool:
    return _INJECTED.fullmatch(name) is not None and (name != variable("port") or "://" in value)


def _read(name: str, hint: object, value: object) -> object:
    try:
        read = msgspec.convert(value, hint, strict=False, dec_hook=_hook)
    except msgspec.ValidationError as error:
        raise _wrong(name, hint, value) from error
    try:
        if isinstance(read, Secret):
            _CHECKS[name](read.reveal())
    except ValueError:
        raise _wrong(name, hint, value) from None
    if name == "api_key" and (len(str(read)) < 16 or not str(read).isascii() or not str(read).isprintable()):
        raise _wrong(name, hint, value)
    if name == "public_url" and not str(read).startswith(("http://", "https://")):
        raise _wrong(name, hint, value)
    return read


def _wrong(name: str, hint: object, value: object) -> CannotOpen:
    shown = "set" if name in _KEYS else repr(value)  # a key never stands in a log
    return CannotOpen(f"{variable(name)} is {shown}, which is not right. It should be {_description(hint)}.")


def _hook(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value)).expanduser()
    if kind is Secret:
        return Secret(str(value))
    raise NotImplementedError(kind)


def _hints() -> dict[str, object]:
    return get_type_hints(Settings, include_extras=True)


def _description(hint: object) -> str:
    for meta in getattr(hint, "__metadata__", ()):
        if isinstance(meta, Meta) and meta.description:
            return meta.description
    raise TypeError(f"A setting without a description: {hint}")
