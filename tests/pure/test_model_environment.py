"""Without a table there are the models that the environment has keys for, and the one that is set."""

import re
from pathlib import Path

import pytest

from api.environment import load as read_settings
from api.model_environment import load
from api.models import Configured, Models
from api.settings import Settings
from eventstore.errors import CannotOpen
from eventstore.secrets import Secret

OPENAI = {"OPENAI_API_KEY": "sk-1"}
AZURE = {"AZURE_OPENAI_API_KEY": "sk-1", "AZURE_OPENAI_ENDPOINT": "https://ours.openai.azure.com/"}
LOCAL = {"OPENAI_BASE_URL": "http://gpu.test:8001/v1/"}


def offered(environ: dict[str, str], model: str | None = None, port: int = 9999) -> Models:
    """What a service offers in such an environment."""
    return load(Settings(data_dir=Path("/nowhere"), model=model, port=port), environ)


def one(name: str, provider: str, base_url: str, key: str | None = None, **fields: object) -> Configured:
    """A model that is called so by its endpoint too."""
    plain = {"model": name, "base_url": base_url, "key": Secret(key) if key else None}
    return Configured(name=name, provider=provider, **plain | fields)  # type: ignore[arg-type] # a mistake shows in the comparison


def test_without_a_key_there_are_the_instructions_alone() -> None:
    assert Models() == offered({"HOME": "/home/ann", "OPENAI_API_KEY": ""})


@pytest.mark.parametrize(
    ("variable", "name", "address"),
    [
        ("OPENAI_API_KEY", "gpt-4.1-mini", "https://api.openai.com/v1"),
        ("OPENAI_API_KEY", "o3", "https://api.openai.com/v1"),
        ("OPENAI_API_KEY", "o4-mini", "https://api.openai.com/v1"),
        ("ANTHROPIC_API_KEY", "claude-sonnet-4-6", "https://api.anthropic.com/v1"),
        ("GOOGLE_API_KEY", "gemini-flash-latest", "https://generativelanguage.googleapis.com/v1beta/openai"),
        ("GEMINI_API_KEY", "gemini-3-pro-preview", "https://generativelanguage.googleapis.com/v1beta/openai"),
        ("OPENROUTER_API_KEY", "qwen/qwen3-32b", "https://openrouter.ai/api/v1"),
    ],
)
def test_a_key_offers_the_well_known_names_of_its_provider_and_makes_none_of_them_the_default(
    variable: str, name: str, address: str
) -> None:
    models = offered({variable: "sk-1"})

    found = models.find(name)
    assert found
    assert (name, address, Secret("sk-1")) == (found.model, found.base_url, found.key)
    assert ("instructions", "instructions") == (models.default, models.resolve(None))
    assert not models.has("acme-1")


def test_the_model_that_is_set_is_the_default() -> None:
    models = offered({**OPENAI, "ANTHROPIC_API_KEY": "sk-2"}, "claude-sonnet-4-6")

    found = models.find(models.resolve(None))
    expected = one("claude-sonnet-4-6", "anthropic", "https://api.anthropic.com/v1", "sk-2", vision=True)
    assert (expected, True) == (found, models.has("gpt-4.1"))


def test_a_server_of_ones_own_has_the_model_that_is_set_and_is_not_thought_to_have_others() -> None:
    models = offered({**LOCAL, **OPENAI}, "qwen3:8b")

    assert (
        Models(table=(one("qwen3:8b", "compatible", "http://gpu.test:8001/v1", "sk-1"),), default="qwen3:8b") == models
    )
    assert not models.has("gpt-4.1")
    assert not offered({**LOCAL, **OPENAI}).has("gpt-4.1")


def test_the_address_of_openai_in_a_region_is_openais_own() -> None:
    found = offered({**OPENAI, "OPENAI_BASE_URL": "https://eu.api.openai.com/v1"}).find("gpt-4.1")

    assert one("gpt-4.1", "openai", "https://eu.api.openai.com/v1", "sk-1", vision=True) == found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, True) for name in ("gpt-4.1-mini", "gpt-4o", "gpt-5", "o3", "o4-mini", "claude-opus-4-7", "gemini-x")),
        *((name, None) for name in ("gpt-3.5-turbo", "gpt-4", "o3-mini", "o1-mini", "claude-2.1", "qwen/qwen3-vl")),
    ],
)
def test_a_well_known_name_tells_whether_the_model_takes_pictures(name: str, expected: bool | None) -> None:
    keys = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY")

    found = offered(dict.fromkeys(keys, "sk-1")).find(name)

    assert found
    assert expected is found.vision


@pytest.mark.parametrize(
    ("model", "environ", "expected"),
    [
        ("ollama:qwen3:8b", {}, one("qwen3:8b", "ollama", "http://localhost:11434/v1")),
        ("ollama:qwen3:8b", OPENAI, one("qwen3:8b", "ollama", "http://localhost:11434/v1")),
        ("vllm:Qwen/Qwen3-8B", LOCAL, one("Qwen/Qwen3-8B", "vllm", "http://gpu.test:8001/v1")),
        ("llamacpp:m", {}, one("m", "llamacpp", "http://localhost:8080/v1")),
        ("compatible:m", LOCAL, one("m", "compatible", "http://gpu.test:8001/v1")),
        ("openai:m", {**LOCAL, **OPENAI}, one("m", "compatible", "http://gpu.test:8001/v1", "sk-1")),
        ("openai:ft:gpt-4.1:us", OPENAI, one("ft:gpt-4.1:us", "openai", "https://api.openai.com/v1", "sk-1")),
        (
            "anthropic:claude-9",
            {"ANTHROPIC_API_KEY": "sk-1", **LOCAL},
            one("claude-9", "anthropic", "https://api.anthropic.com/v1", "sk-1", vision=True),
        ),
        (
            "azure:ours",
            AZURE,
            one("ours", "azure", "https://ours.openai.azure.com/openai/v1", "sk-1", deployment="ours"),
        ),
        (
            "azure:ours",
            {**AZURE, "OPENAI_API_VERSION": "2025-04-01"},
            one("ours", "azure", "https://ours.openai.azure.com", "sk-1", deployment="ours", api_version="2025-04-01"),
        ),
    ],
)
def test_a_model_may_be_set_with_its_provider(model: str, environ: dict[str, str], expected: Configured) -> None:
    models = offered(environ, model)

    assert (expected, expected.name) == (models.find(models.default), models.default)


def test_a_deployment_of_azure_is_offered_by_its_name() -> None:
    models = offered({**AZURE, "AZURE_OPENAI_DEPLOYMENT": "ours"})

    assert ("instructions", "ours") == (models.default, models.resolve("ours"))
    assert Models() == offered({"AZURE_OPENAI_DEPLOYMENT": "ours"})


@pytest.mark.parametrize(
    ("model", "environ", "sentence"),
    [
        ("gpt-4.1", {}, 'TAPEWRIGHT_MODEL is "gpt-4.1", and nothing says where that is. Set OPENAI_BASE_URL or the'),
        ("openai:m", {}, 'TAPEWRIGHT_MODEL is "openai:m", which needs a key. Set OPENAI_API_KEY.'),
        ("google:m", LOCAL, 'TAPEWRIGHT_MODEL is "google:m", which needs a key. Set GOOGLE_API_KEY.'),
        ("compatible:m", {}, 'TAPEWRIGHT_MODEL is "compatible:m", and OPENAI_BASE_URL does not say where that is.'),
        ("ollama:", {}, "TAPEWRIGHT_MODEL names a provider and no model."),
        ("azure:ours", {}, 'The deployment "ours" of Azure cannot be reached: AZURE_OPENAI_API_KEY is not set.'),
        ("azure:ours", {"AZURE_OPENAI_API_KEY": "sk-1"}, "cannot be reached: AZURE_OPENAI_ENDPOINT is not set."),
        ("m", {"OPENAI_BASE_URL": "http://a:sk-1@b"}, "OPENAI_BASE_URL should have no user name or password in it."),
        (None, {"OPENAI_API_KEY": "sk-1\nsk-2"}, "OPENAI_API_KEY holds no key: one is a line of printable ASCII"),
        ("m", {"OPENAI_BASE_URL": "http://localhost:9999/v1"}, "where this service listens itself."),
    ],
)
def test_what_cannot_be_reached_is_named_with_what_would_help(
    model: str | None, environ: dict[str, str], sentence: str
) -> None:
    with pytest.raises(CannotOpen) as refused:
        offered(environ, model)

    assert sentence in str(refused.value)
    assert "sk-1" not in str(refused.value)


def test_the_environments_that_the_documentation_shows_have_a_model_by_default() -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text("utf-8")
    lines = re.findall(r"^(\w+=.*) tapewright serve$", page, re.MULTILINE)

    shown = [dict(each.split("=", 1) for each in line.split()) for line in lines]

    found = [load(read_settings(environ, data_dir=Path("/t")), environ) for environ in shown]
    assert (9, []) == (len(found), [models for models in found if models.default == "instructions"])
