"""What calls cost, by a list that is in the program; unknown is None and never zero."""

from decimal import Decimal

import pytest

from runner.llm.endpoints import Endpoint, Prices, Provider
from runner.llm.heard import Tokens
from runner.llm.prices import cost

THOUSAND = Tokens(input=1000, output=1000)


def endpoint(provider: Provider, model: str, url: str = "https://models.example/v1", **settings: object) -> Endpoint:
    return Endpoint(name="it", model=model, base_url=url, provider=provider, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "answered"),
    [
        (endpoint(Provider.OPENAI, "gpt-4.1"), ""),
        (endpoint(Provider.OPENAI, "gpt-4.1"), "gpt-4.1-2025-04-14"),
        (endpoint(Provider.OPENAI, "gpt-4.1"), "what nobody knows"),
        (endpoint(Provider.AZURE, "our-deployment"), "gpt-4.1"),
        (endpoint(Provider.OPENROUTER, "openai/gpt-4.1"), ""),
        (endpoint(Provider.COMPATIBLE, "gpt-4.1", "https://api.openai.com/v1"), ""),
    ],
)
def test_a_known_model_costs_what_the_list_says_and_cached_input_costs_less(known: Endpoint, answered: str) -> None:
    assert "0.01" == cost(known, THOUSAND, answered)
    assert "0.0085" == cost(known, Tokens(input=1000, output=1000, cached=1000), answered)


@pytest.mark.parametrize(
    "unknown",
    [
        endpoint(Provider.OPENAI, "what nobody knows"),
        endpoint(Provider.COMPATIBLE, "gpt-4.1"),
        endpoint(Provider.COMPATIBLE, "gpt-4.1", "http://127.0.0.1:8080/v1"),
        *(endpoint(provider, "gpt-4.1") for provider in (Provider.OLLAMA, Provider.VLLM, Provider.LLAMACPP)),
    ],
)
def test_what_is_not_known_is_none_and_not_zero(unknown: Endpoint) -> None:
    assert cost(unknown, THOUSAND) is None


def test_prices_of_the_settings_come_before_all_others() -> None:
    prices = Prices(input=Decimal("0.5"), output=Decimal(2), cached=Decimal("0.05"))
    ours = endpoint(Provider.VLLM, "gpt-4.1", prices=prices)
    free = endpoint(Provider.OPENAI, "gpt-4.1", prices=Prices(input=Decimal(0), output=Decimal(0)))

    assert "0.0022795" == cost(ours, Tokens(input=1000, output=1000, cached=490))
    assert "0" == cost(free, THOUSAND)


def test_a_cost_has_no_exponent_however_small_or_large() -> None:
    prices = Prices(input=Decimal("1E-3"), output=Decimal("1E6"))

    assert "0.000000001" == cost(endpoint(Provider.VLLM, "m", prices=prices), Tokens(input=1))
    assert "5000" == cost(endpoint(Provider.VLLM, "m", prices=prices), Tokens(output=5000))


def test_what_a_broker_says_that_a_call_cost_is_believed_and_nobody_else() -> None:
    tokens = Tokens(input=1000, output=1000, dollars=1.25e-05)

    assert "0.0000125" == cost(endpoint(Provider.OPENROUTER, "some/new-model"), tokens)
    assert cost(endpoint(Provider.COMPATIBLE, "some/new-model"), tokens) is None
