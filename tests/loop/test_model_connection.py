"""What goes to an endpoint beside the question: whose key and which headers, and by which way."""

from typing import Any

import pytest

from eventstore.secrets import Secret
from runner.llm import connection
from runner.llm.client import Client, Message
from runner.llm.endpoints import Endpoint, Provider
from runner.llm.pool import open_clients
from runner.vocabulary import ActFailed
from tests.model_server import KEY, model_server
from tests.modelled import found

ASKED = [Message(role="system", text="Be brief."), Message(role="user", text="Which one?")]


@pytest.mark.parametrize("deployment", ["", "mine"])
async def test_a_deployment_at_azure_is_asked_at_its_own_address_with_its_own_header(deployment: str) -> None:
    async with model_server(["ok"]) as served:
        settings = {"provider": Provider.AZURE, "api_version": "2024-10-21", "deployment": deployment}
        endpoint = served.endpoint(base_url=served.url.removesuffix("/v1"), **settings)
        async with Client(endpoint) as client:
            answer = await client.ask(ASKED)

    (asked,) = served.requests
    assert "ok" == answer.text
    assert f"/openai/deployments/{deployment or 'model-x'}/chat/completions" == asked.path
    assert ({"api-version": "2024-10-21"}, KEY) == (asked.query, asked.headers["api-key"])
    assert "Authorization" not in asked.headers


async def test_an_endpoint_without_a_key_gets_none_and_nothing_of_the_environment_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY", "AZURE_OPENAI_API_KEY"):
        monkeypatch.setenv(name, "of-somebody-else")

    async with model_server(["ok"]) as served, Client(served.endpoint(key=None)) as client:
        await client.ask(ASKED)

    (asked,) = served.requests
    assert "Authorization" not in asked.headers
    assert "of-somebody-else" not in asked.headers.values()


@pytest.mark.parametrize(
    ("settings", "name", "key"),
    [
        ({}, "Authorization", f"Bearer {KEY}"),
        ({"provider": Provider.OPENAI}, "Authorization", f"Bearer {KEY}"),
        ({"provider": Provider.AZURE, "api_version": "2024-10-21"}, "api-key", KEY),
        ({"headers": {"authorization": Secret("Token abc")}}, "Authorization", "Token abc"),
        ({"key": None}, "Authorization", None),
    ],
)
async def test_headers_that_the_environment_has_for_one_provider_go_to_none_and_take_no_keys_place(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], name: str, key: str | None
) -> None:
    custom = ("AUTHORIZATION: Bearer other-key", "API-Key: other-key", "X-Goog-Api-Key: other-key")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "\n".join(custom))

    async with model_server(["ok"]) as served:
        url = served.url.removesuffix("/v1") if "api_version" in settings else served.url
        async with Client(served.endpoint(base_url=url, **settings)) as client:
            await client.ask(ASKED)

    (asked,) = served.requests
    assert key == asked.headers.get(name)
    assert "other-key" not in str(asked.headers)


async def test_nothing_is_told_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async with model_server(["ok"]) as served, Client(served.endpoint()) as client:
        await client.ask(ASKED)

    (asked,) = served.requests
    assert ["x-stainless-raw-response"] == [name for name in map(str.lower, asked.headers) if name.startswith("x-")]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks5://user:correct-horse@127.0.0.1:9"),
        ("HTTPS_PROXY", "ftp://user:correct-horse@127.0.0.1:9"),
        ("HTTP_PROXY", "http://correct-horse:::9"),
    ],
)
async def test_a_proxy_of_the_environment_that_is_none_is_said_in_a_sentence_and_the_fallback_is_asked(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    far = Endpoint(name="far", model="m", base_url="https://models.invalid/v1", fallback="near")

    async with model_server(["ok"]) as served:
        async with open_clients(found(far, served.endpoint("near"))) as clients:
            answer = await clients.of("far").ask(ASKED)
        async with Client(far) as client:
            with pytest.raises(ActFailed) as failed:
                await client.ask(ASKED)

    assert ("ok", "near", "model_unreachable") == (answer.text, answer.usage.model, failed.value.code)
    assert "Name an http or https proxy there (socks is not one), or none." in str(failed.value)
    assert "correct-horse" not in str(failed.value)


async def test_certificates_of_the_environment_that_cannot_be_read_are_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/at/all.pem")
    connection._trusted.cache_clear()  # it is read once in a process

    async with Client(Endpoint(name="far", model="m", base_url="https://models.invalid/v1")) as client:
        with pytest.raises(ActFailed) as failed:
            await client.ask(ASKED)

    assert "model_unreachable" == failed.value.code
    assert "the certificates that SSL_CERT_FILE or SSL_CERT_DIR of the environment names cannot" in str(failed.value)


async def test_a_model_on_this_machine_is_not_asked_through_a_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)

    async with model_server(["ok"]) as served, Client(served.endpoint(retries=0)) as client:
        answer = await client.ask(ASKED)

    assert "ok" == answer.text


async def test_a_header_of_the_settings_takes_the_place_of_the_key() -> None:
    header = {"Authorization": Secret("Token abc")}
    async with model_server(["ok"]) as served, Client(served.endpoint(key=None, headers=header)) as client:
        await client.ask(ASKED)

    assert "Token abc" == served.requests[0].headers["Authorization"]


@pytest.mark.parametrize("key", ["sk-schlüssel", "sk-two\nlines"])
async def test_a_key_that_no_header_can_carry_is_said_without_it(key: str) -> None:
    async with model_server(["ok"]) as served, Client(served.endpoint(key=Secret(key), retries=0)) as client:
        with pytest.raises(ActFailed) as failed:
            await client.ask(ASKED)

    assert ("model_refused", 0) == (failed.value.code, len(served.requests))
    assert "characters that cannot be sent" in str(failed.value)
    assert key not in str(failed.value)
