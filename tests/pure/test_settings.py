"""Settings are read from the environment, and what is wrong is named in a sentence."""

from pathlib import Path

import pytest

from api.countries import Exit, exits
from api.environment import descriptions, injected, load
from api.settings import Settings
from eventstore.errors import CannotOpen
from eventstore.secrets import Secret

KEY = "sixteen-chars-or-more"


def test_nothing_set_is_all_defaults() -> None:
    environ = {"HOME": "/home/ann", "PATH": "/bin"}

    assert Settings(data_dir=Path("/tape")) == load(environ, data_dir=Path("/tape"))


def test_variables_are_read_as_the_types_that_they_set() -> None:
    environ = {
        "TAPEWRIGHT_DATA_DIR": "/var/tape",
        "TAPEWRIGHT_PORT": "9000",
        "TAPEWRIGHT_SCREENSHOTS": "false",
        "TAPEWRIGHT_ACTION_SECONDS": "2.5",
        "TAPEWRIGHT_API_KEY": KEY,
        "TAPEWRIGHT_HOST": "",
        "TAPEWRIGHT_MODELS": "/var/models.toml",
        "TAPEWRIGHT_MODEL": "small",
        "TAPEWRIGHT_MAX_COST_USD": "0.5",
    }

    wanted = Settings(
        data_dir=Path("/var/tape"),
        port=9000,
        screenshots=False,
        action_seconds=2.5,
        api_key=KEY,
        models=Path("/var/models.toml"),
        model="small",
        max_cost_usd=0.5,
    )
    assert wanted == load(environ)


def test_the_command_line_wins_over_the_environment_and_none_says_nothing() -> None:
    settings = load({"TAPEWRIGHT_PORT": "9000", "TAPEWRIGHT_HOST": "::1"}, port=9001, host=None, data_dir=Path("/t"))

    assert Settings(data_dir=Path("/t"), port=9001, host="::1") == settings


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "http", "TAPEWRIGHT_PORT is 'http', which is not right. It should be the port, 0 to 65535"),
        ("PORT", "65536", "TAPEWRIGHT_PORT is '65536', which is not right."),
        ("SCREENSHOTS", "maybe", "It should be whether every step keeps a picture of the page, true or false"),
        ("LOG_LEVEL", "loud", "It should be how much is logged: debug, info, warning or error."),
        ("PUBLIC_URL", "tape.test", "TAPEWRIGHT_PUBLIC_URL is 'tape.test', which is not right."),
        ("API_KEY", "short", "TAPEWRIGHT_API_KEY is set, which is not right. It should be a key"),
        ("DURABILITY", "none", "TAPEWRIGHT_DURABILITY is 'none', which is not right."),
        (
            "ON_LIMIT",
            "wait",
            "It should be of a task that has used up its steps, tokens or cost, stop: it fails; pause:",
        ),
        ("MAX_COST_USD", "-1", "It should be what models may cost for one task, in US dollars; 0: any amount."),
        ("COLOUR", "red", "TAPEWRIGHT_COLOUR is not a setting. There are: TAPEWRIGHT_DATA_DIR, "),
    ],
)
def test_a_wrong_variable_is_named_with_what_would_be_right(name: str, value: str, sentence: str) -> None:
    with pytest.raises(CannotOpen) as refused:
        load({f"TAPEWRIGHT_{name}": value})

    assert sentence in str(refused.value)


def test_what_kubernetes_sets_for_a_service_of_this_name_is_no_setting_and_is_named() -> None:
    theirs = {
        "TAPEWRIGHT_PORT": "tcp://10.0.0.7:8000",
        "TAPEWRIGHT_PORT_8000_TCP": "tcp://10.0.0.7:8000",
        "TAPEWRIGHT_PORT_8000_TCP_ADDR": "10.0.0.7",
        "TAPEWRIGHT_PORT_8000_TCP_PORT": "8000",
        "TAPEWRIGHT_PORT_8000_TCP_PROTO": "tcp",
        "TAPEWRIGHT_SERVICE_HOST": "10.0.0.7",
        "TAPEWRIGHT_SERVICE_PORT": "8000",
        "TAPEWRIGHT_SERVICE_PORT_HTTP": "8000",
    }
    environ = {**theirs, "TAPEWRIGHT_HOST": "::", "TAPEWRIGHT_DATA_DIR": "/t"}

    assert Settings(data_dir=Path("/t"), host="::") == load(environ)
    assert sorted(theirs) == injected(environ)
    assert [] == injected({"TAPEWRIGHT_PORT": "8001"})


def test_a_key_that_is_wrong_stands_in_no_message() -> None:
    for name in ("TAPEWRIGHT_API_KEY", "TAPEWRIGHT_VAULT_KEY"):
        with pytest.raises(CannotOpen, match=f"{name} is set, which is not right") as refused:
            load({name: "secret"})

        assert "secret" not in str(refused.value)


def test_the_key_of_the_vault_is_not_shown_with_the_settings() -> None:
    settings = load({"TAPEWRIGHT_VAULT_KEY": "ab" * 32})

    assert Secret("ab" * 32) == settings.vault_key
    assert "abab" not in repr(settings)


PROXIES = "us=http://ada:correct%20horse@proxy.test:3128, DE=http://[2001:db8::1]:8080/"


def test_the_proxies_are_read_by_country_and_not_shown_with_the_settings() -> None:
    settings = load({"TAPEWRIGHT_PROXIES": PROXIES})

    assert Secret(PROXIES) == settings.proxies
    assert "horse" not in repr(settings)
    assert {
        "us": Exit(host="proxy.test", port=3128, user=Secret("ada"), password=Secret("correct horse")),
        "de": Exit(host="2001:db8::1", port=8080),
    } == exits(PROXIES)


@pytest.mark.parametrize(
    "text",
    [
        "horse",
        "usa=http://horse:3128",
        "us=http://horse:3128,US=http://other:3128",
        "us=horse:3128",
        "us=https://horse:3128",
        "us=socks5://horse:3128",
        "us=http://horse",
        "us=http://horse:0",
        "us=http://horse:70000",
        "us=http://horse:3128/path",
        "us=http://a%3Ab:horse@proxy.test:3128",
    ],
)
def test_a_wrong_proxy_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(CannotOpen, match=r"^TAPEWRIGHT_PROXIES is set, which is not right") as caught:
        load({"TAPEWRIGHT_PROXIES": text})

    assert "horse" not in str(caught.value)


def test_every_setting_says_what_it_is() -> None:
    assert {f"TAPEWRIGHT_{field.upper()}" for field in Settings.__struct_fields__} == set(descriptions())
    assert all(descriptions().values())
