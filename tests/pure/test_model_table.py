"""The table of models is read whole, or refused by file, table and key; no key is ever repeated."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from api.model_environment import load
from api.model_table import Entry
from api.models import Configured, Models, Prices
from api.providers import PROVIDERS
from api.settings import Settings
from eventstore.errors import CannotOpen
from eventstore.secrets import Secret

ALL = """
["gpt-4.1"]
provider = "openai"

[big]
provider = "azure"
model = "gpt-4.1"
base_url = "https://ours.openai.azure.com/"
api_version = "2025-04-01-preview"
deployment = "ours"
key_env = "OUR_KEY"
vision = true
fallback = "small"
temperature = 0.2
max_output_tokens = 8192
call_seconds = 60
quiet_seconds = 30.5
structured = "json_object"
max_concurrent = 4
prices = { input = 2, output = 8.25, cached = 0.5 }

[small]
provider = "vllm"
model = "Qwen/Qwen3-8B"
base_url = "http://gpu.test:8001/v1/"
key_file = "small.key"
headers = { X-Team = "web" }
headers_env = { X-Gate = "GATE" }
"""
ENVIRON = {"OPENAI_API_KEY": "sk-openai", "OUR_KEY": "sk-ours", "GATE": "open sesame"}


def read(tmp_path: Path, text: str, environ: dict[str, str] | None = None, **settings: object) -> Models:
    """The models of such a file, for a service on another port than those have."""
    path = tmp_path / "models.toml"
    path.write_text(text)
    plain: dict[str, object] = {"data_dir": tmp_path, "port": 9999, "models": path}
    return load(Settings(**plain | settings), ENVIRON if environ is None else environ)  # type: ignore[arg-type] # a mistake shows in the comparison


def test_every_key_of_the_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "small.key").write_text("sk-small\n")

    models = read(tmp_path, ALL)

    expected = (
        Configured(
            name="gpt-4.1",
            provider="openai",
            model="gpt-4.1",
            base_url="https://api.openai.com/v1",
            key=Secret("sk-openai"),
            vision=True,
        ),
        Configured(
            name="big",
            provider="azure",
            model="gpt-4.1",
            base_url="https://ours.openai.azure.com",
            key=Secret("sk-ours"),
            api_version="2025-04-01-preview",
            deployment="ours",
            vision=True,
            fallback="small",
            temperature=0.2,
            max_output_tokens=8192,
            call_seconds=60.0,
            quiet_seconds=30.5,
            structured="json_object",
            max_concurrent=4,
            prices=Prices(input=Decimal(2), output=Decimal("8.25"), cached=Decimal("0.5")),
        ),
        Configured(
            name="small",
            provider="vllm",
            model="Qwen/Qwen3-8B",
            base_url="http://gpu.test:8001/v1",
            key=Secret("sk-small"),
            headers={"X-Team": Secret("web"), "X-Gate": Secret("open sesame")},
        ),
    )
    assert Models(table=expected, default="gpt-4.1") == models
    assert "sk-" not in repr(models)


@pytest.mark.parametrize(
    ("provider", "environ", "address"),
    [
        ("openai", {"OPENAI_API_KEY": "k"}, "https://api.openai.com/v1"),
        ("anthropic", {"ANTHROPIC_API_KEY": "k"}, "https://api.anthropic.com/v1"),
        ("google", {"GEMINI_API_KEY": "k"}, "https://generativelanguage.googleapis.com/v1beta/openai"),
        (
            "google",
            {"GOOGLE_API_KEY": "k", "GEMINI_API_KEY": "g"},
            "https://generativelanguage.googleapis.com/v1beta/openai",
        ),
        ("openrouter", {"OPENROUTER_API_KEY": "k"}, "https://openrouter.ai/api/v1"),
        ("ollama", {}, "http://localhost:11434/v1"),
        ("vllm", {}, "http://localhost:8000/v1"),
        ("llamacpp", {}, "http://localhost:8080/v1"),
    ],
)
def test_a_provider_has_an_address_and_variables_of_its_own(
    tmp_path: Path, provider: str, environ: dict[str, str], address: str
) -> None:
    (found,) = read(tmp_path, f'[m]\nprovider = "{provider}"', environ).table

    assert (address, Secret("k") if environ else None) == (found.base_url, found.key)


def test_a_providers_own_key_goes_to_no_other_address_unasked(tmp_path: Path) -> None:
    text = '[m]\nprovider = "openai"\nbase_url = "https://proxy.test/v1"\n'

    unasked, asked = [read(tmp_path, each).table[0] for each in (text, f'{text}key_env = "OPENAI_API_KEY"')]

    assert (None, Secret("sk-openai")) == (unasked.key, asked.key)


def test_azure_without_a_version_is_its_v1_api(tmp_path: Path) -> None:
    text = '[ours]\nprovider = "azure"\nbase_url = "https://ours.openai.azure.com"'

    (found,) = read(tmp_path, text, {"AZURE_OPENAI_API_KEY": "k"}).table

    assert ("https://ours.openai.azure.com/openai/v1", Secret("k")) == (found.base_url, found.key)


@pytest.mark.parametrize(
    ("setting", "expected"), [(None, "gpt-4.1"), ("small", "small"), ("instructions", "instructions")]
)
def test_the_first_is_the_default_unless_another_is_set(tmp_path: Path, setting: str | None, expected: str) -> None:
    (tmp_path / "small.key").write_text("sk-small")

    assert expected == read(tmp_path, ALL, model=setting).default


OLLAMA = '[small]\nprovider = "ollama"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "models.toml should have 1 to 200 tables, such as [small]."),
        ("[small", "models.toml is not TOML: Expected ']' at the end of a table declaration"),
        ('provider = "ollama"', '"provider" stands in no table. Write the name of a model above it, such as [small].'),
        ('[instructions]\nprovider = "ollama"', '"instructions" cannot be the name of a model. Take another one'),
        ('["gpt-*"]\nprovider = "ollama"', '"gpt-*" cannot be the name of a model. Take another one, without *.'),
        ('[gpt-4.1]\nprovider = "openai"', '"gpt-4", key "1": a name with a dot stands in quotes, as in ["gpt-4.1"]; '),
        ("[small]", 'table "small", key "provider": should be one of openai, azure, anthropic, google, openrouter,'),
        ('[small]\nprovider = "acme"', 'table "small", key "provider": should be one of openai, azure,'),
        (f"{OLLAMA}colour = 1", 'table "small", key "colour": there is no such key; there are: provider, model, '),
        (
            f'{OLLAMA}api_key = "sk-1"',
            'key "api_key": a key does not stand in this file; name its variable (key_env) or',
        ),
        (
            f'{OLLAMA}key_env = "sk-1"',
            'key "key_env": should be the name of a variable of the environment that is set.',
        ),
        (
            f'{OLLAMA}key_env = "EMPTY"',
            'key "key_env": should be the name of a variable of the environment that is set.',
        ),
        (f'{OLLAMA}key_env = "LINES"', 'key "key_env": the variable holds no key: one is a line of printable ASCII'),
        (f'{OLLAMA}key_file = "none"', 'key "key_file": cannot be read: No such file or directory.'),
        (f'{OLLAMA}key_file = "a"\nkey_env = "b"', 'key "key_file": there is key_env too; say one of them.'),
        ('[small]\nprovider = "anthropic"', 'key "key_env": there is no key; set ANTHROPIC_API_KEY, or say key_env or'),
        (
            '[small]\nprovider = "azure"\nbase_url = "https://a.test"',
            'key "key_env": there is no key; set AZURE_OPENAI_API_KEY, or say key_env or key_file.',
        ),
        ('[small]\nprovider = "compatible"', 'key "base_url": is missing; compatible has no address of its own.'),
        (
            f'{OLLAMA}base_url = "ftp://a.test"',
            'key "base_url": should be an http or https URL without a query, such as',
        ),
        (f'{OLLAMA}base_url = "http://a:sk-1@a.test"', 'key "base_url": should have no user name or password in it.'),
        (
            f'{OLLAMA}base_url = "http://a/chat/completions"',
            'key "base_url": should end before /chat/completions, such',
        ),
        (f'{OLLAMA}vision = "yes"', 'key "vision": Expected `bool`, got `str`.'),
        (f"{OLLAMA}temperature = 2.5", 'key "temperature": Expected `float` <= 2'),
        (f"{OLLAMA}call_seconds = 0", 'key "call_seconds": Expected `float` > 0'),
        (f"{OLLAMA}max_output_tokens = 0", 'key "max_output_tokens": Expected `int` >= 1.'),
        (f'{OLLAMA}structured = "xml"', "key \"structured\": Invalid enum value 'xml'."),
        (f'{OLLAMA}api_version = "1"', 'key "api_version": is for azure alone.'),
        (f"{OLLAMA}prices = {{ input = 1 }}", 'key "prices": Object missing required field `output`.'),
        (
            f"{OLLAMA}prices = {{ input = -1, output = 1 }}",
            'key "prices": should be US dollars per million tokens, 0 at',
        ),
        (
            f"{OLLAMA}prices = {{ input = nan, output = 1 }}",
            'key "prices": should be US dollars per million tokens, 0 at',
        ),
        (
            f'{OLLAMA}headers = {{ Authorization = "Bearer sk-1" }}',
            'key "headers.Authorization": a key does not stand in this file; name its variable in headers_env.',
        ),
        (f'{OLLAMA}headers = {{ "a b" = "1" }}', 'key "headers": the name of a header should be letters, digits and'),
        (f'{OLLAMA}headers = {{ a = "ü" }}', 'key "headers.a": should be printable ASCII characters.'),
        (f'{OLLAMA}headers_env = {{ a = "sk-1" }}', 'key "headers_env.a": should be the name of a variable of the'),
        (
            f'{OLLAMA}fallback = "big"',
            'table "small", key "fallback": should be another table of this file; there are: none.',
        ),
        (
            f'{OLLAMA}fallback = "small"\n[b]\nprovider = "ollama"',
            'table "small", key "fallback": should be another table of this file; there are: b.',
        ),
        (
            '[small]\nprovider = "vllm"\nbase_url = "http://localhost:9999/v1"',
            'The model "small" is looked for at http://localhost:9999/v1, where this service listens itself.',
        ),
    ],
)
def test_what_is_wrong_in_the_table_is_named_with_what_would_be_right(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(CannotOpen) as refused:
        read(tmp_path, text, {"EMPTY": "", "LINES": "a\nb"})

    assert sentence in str(refused.value)
    assert "sk-1" not in str(refused.value)


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"

    with pytest.raises(CannotOpen, match=f"The table of models {path} cannot be read: No such file or directory."):
        load(Settings(data_dir=tmp_path, models=path), {})


def test_a_default_or_a_stand_in_that_the_table_does_not_have_is_named_with_those_that_it_has(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen) as no_default:
        read(tmp_path, OLLAMA, model="big")
    with pytest.raises(CannotOpen) as no_stand_in:
        read(tmp_path, OLLAMA, model_aliases="gpt-4.1=big")

    path = tmp_path / "models.toml"
    assert f'TAPEWRIGHT_MODEL is "big", and {path} has no such table. There are: small, instructions.' == str(
        no_default.value
    )
    assert str(no_stand_in.value) == (
        'TAPEWRIGHT_MODEL_ALIASES has "gpt-4.1" stand for "big", which is not configured. There are: small, '
        "instructions."
    )


def test_two_models_may_stand_in_for_each_other(tmp_path: Path) -> None:
    text = '[a]\nprovider = "ollama"\nfallback = "b"\n[b]\nprovider = "llamacpp"\nfallback = "a"'

    assert ["b", "a"] == [each.fallback for each in read(tmp_path, text).table]


def test_a_call_that_may_take_longer_than_a_step_is_refused_with_what_to_raise(tmp_path: Path) -> None:
    text = '[slow]\nprovider = "ollama"\ncall_seconds = 300'

    with pytest.raises(CannotOpen) as refused:
        read(tmp_path, text)

    assert 'table "slow", key "call_seconds": 300 is more than a whole step may take' in str(refused.value)
    assert str(refused.value).endswith("which is 180. Raise TAPEWRIGHT_STEP_SECONDS, or lower this.")
    assert 300 == read(tmp_path, text, step_seconds=300.0).table[0].call_seconds


def test_with_a_table_no_other_model_is_offered(tmp_path: Path) -> None:
    models = read(tmp_path, OLLAMA, {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"})

    assert (False, False, True) == (models.has("gpt-4.1"), models.has("claude-sonnet-4-6"), models.has("small"))


def test_the_tables_that_the_documentation_shows_are_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text("utf-8")
    text = "\n".join(re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    (tmp_path / "gateway.key").write_text("sk-gateway")
    keys = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY", "AZURE_OPENAI_API_KEY"]

    models = read(tmp_path, text, dict.fromkeys([*keys, "GATE_TOKEN"], "sk-1"), step_seconds=600.0)

    assert set(PROVIDERS) == {each.provider for each in models.table}


def test_every_key_of_the_table_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text("utf-8")

    keys = [key for row in re.findall(r"^\| (`[^|]*) \|", page, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)]

    assert [] == [key for key in Entry.__struct_fields__ if key not in keys]
