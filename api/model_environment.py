"""Which models there are: those of the table, or without one those that the variables of the environment have keys for.

Nothing is asked of a provider because its key is there: without a table it is `TAPEWRIGHT_MODEL` that makes one of its
models the default, or a client that names it.
"""

from collections.abc import Mapping

from yarl import URL

from api import model_table, providers
from api.environment import variable
from api.models import INSTRUCTIONS, Configured, Models, aliases
from api.providers import PROVIDERS
from api.settings import Settings
from eventstore.errors import CannotOpen
from eventstore.secrets import Secret

BASE_URL = "OPENAI_BASE_URL"
AZURE = "AZURE_OPENAI_ENDPOINT"
AZURE_DEPLOYMENT = "AZURE_OPENAI_DEPLOYMENT"
VERSIONS = ("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION")
OF_ONES_OWN = frozenset({"openai", "compatible", "ollama", "vllm", "llamacpp"})
"""Providers that `OPENAI_BASE_URL` may lead to."""


def load(settings: Settings, environ: Mapping[str, str]) -> Models:
    """Raises CannotOpen: naming file, table and key, or the variable, and what would be right."""
    wanted = settings.model or ""
    if settings.models is not None:
        table = model_table.read(settings.models, environ)
        _refuse_longer_than_a_step(settings, table)
        default = wanted or table[0].name
        where = f"{settings.models} has no such table"
    else:
        table, default = _offered(wanted, environ)
        where = (
            f"nothing says where that is. Set {BASE_URL} or the provider's key, or write the provider before it, as in "
            f"ollama:{wanted}"
        )
    models = Models(table=table, default=default, stand_ins=aliases(settings.model_aliases))
    if not models.has(models.default):
        raise CannotOpen(f'{variable("model")} is "{wanted}", and {where}. There are: {_names(table)}.')
    for name, model in models.stand_ins.items():
        if not models.has(model):
            raise CannotOpen(
                f'{variable("model_aliases")} has "{name}" stand for "{model}", which is not configured. There are: '
                f"{models.told()}."
            )
    _refuse_ourselves(settings, table)
    return models


def _offered(wanted: str, environ: Mapping[str, str]) -> tuple[tuple[Configured, ...], str]:
    """The models of this environment and the default among them, `instructions` where none is wanted."""
    table = [each for name in PROVIDERS for each in _well_known(name, environ)]
    if environ.get(AZURE) and environ.get(AZURE_DEPLOYMENT) and _key("azure", environ):
        table.append(_azure(environ[AZURE_DEPLOYMENT], environ))
    provider, colon, model = wanted.partition(":")
    if colon and provider in PROVIDERS:
        return (_one(provider, model, environ), *table), model
    if wanted and not Models(table=tuple(table)).has(wanted) and _own(environ):
        return (_one("compatible", wanted, environ), *table), wanted
    return tuple(table), wanted or INSTRUCTIONS


def _well_known(name: str, environ: Mapping[str, str]) -> list[Configured]:
    """Its names, where its key is there. A server of one's own is not known to have any."""
    known, secret = PROVIDERS[name], _key(name, environ)
    if secret is None or (name == "openai" and _own(environ)):
        return []
    address = _home(name, environ)
    return [Configured(name=each, provider=name, model=each, base_url=address, key=secret) for each in known.patterns]


def _one(name: str, model: str, environ: Mapping[str, str]) -> Configured:
    """One model of a provider, said by name. Raises CannotOpen where nothing says where that is, or with which key."""
    if not model:
        raise CannotOpen(f"{variable('model')} names a provider and no model. Write it behind the colon.")
    if name == "azure":
        return _azure(model, environ)
    known, own = PROVIDERS[name], _own(environ) if name in OF_ONES_OWN else ""
    address = own or _home(name, environ)
    secret = _key("openai" if own else name, environ)
    if not address:
        raise CannotOpen(f'{variable("model")} is "{name}:{model}", and {BASE_URL} does not say where that is. Set it.')
    if secret is None and known.keys and not own:
        raise CannotOpen(f'{variable("model")} is "{name}:{model}", which needs a key. Set {known.keys[0]}.')
    provider = "compatible" if own and name == "openai" else name
    vision = providers.sees(provider, model)
    return Configured(name=model, provider=provider, model=model, base_url=address, key=secret, vision=vision)


def _azure(deployment: str, environ: Mapping[str, str]) -> Configured:
    secret = _key("azure", environ)
    if secret is None or not environ.get(AZURE):
        missing = PROVIDERS["azure"].keys[0] if secret is None else AZURE
        raise CannotOpen(f'The deployment "{deployment}" of Azure cannot be reached: {missing} is not set.')
    version = next((environ[name] for name in VERSIONS if environ.get(name)), "")
    return Configured(
        name=deployment,
        provider="azure",
        model=deployment,
        base_url=providers.azure(_address(AZURE, environ), version),
        key=secret,
        api_version=version,
        deployment=deployment,
        vision=providers.sees("azure", deployment),
    )


def _own(environ: Mapping[str, str]) -> str:
    """The address of a server that is not OpenAI's own, if `OPENAI_BASE_URL` names one."""
    address = _address(BASE_URL, environ)
    return "" if _is_openai(address) else address


def _home(name: str, environ: Mapping[str, str]) -> str:
    """The provider's own address; OpenAI has some for regions too."""
    address = _address(BASE_URL, environ) if name == "openai" else ""
    return address if _is_openai(address) else PROVIDERS[name].base_url


def _is_openai(address: str) -> bool:
    return bool(address) and f".{URL(address).host}".endswith(".api.openai.com")


def _address(name: str, environ: Mapping[str, str]) -> str:
    try:
        return providers.base_url(environ[name]) if environ.get(name) else ""
    except ValueError as error:
        raise CannotOpen(f"{name} {error}.") from None


def _key(name: str, environ: Mapping[str, str]) -> Secret | None:
    for each in PROVIDERS[name].keys:
        try:
            if environ.get(each):
                return providers.key(environ[each])
        except ValueError as error:
            raise CannotOpen(f"{each} {error}.") from None
    return None


def _names(table: tuple[Configured, ...]) -> str:
    return Models(table=table, default=table[0].name if table else INSTRUCTIONS).told()


def _refuse_longer_than_a_step(settings: Settings, table: tuple[Configured, ...]) -> None:
    """A call that takes longer ends with the step that it is made in."""
    for each in table:
        if (each.call_seconds or 0.0) > settings.step_seconds:
            raise CannotOpen(
                f'{settings.models}, table "{each.name}", key "call_seconds": {each.call_seconds:g} is more than a '
                f"whole step may take, which is {settings.step_seconds:g}. Raise {variable('step_seconds')}, or lower "
                "this."
            )


def _refuse_ourselves(settings: Settings, table: tuple[Configured, ...]) -> None:
    """The usual port of vLLM is that of this service."""
    for each in table:
        url = URL(each.base_url)
        if url.host in ("localhost", "127.0.0.1", "::1") and url.port == settings.port:
            raise CannotOpen(
                f'The model "{each.name}" is looked for at {each.base_url}, where this service listens itself. Choose '
                f"another port with {variable('port')}, or say where the model is."
            )
