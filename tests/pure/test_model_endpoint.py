"""What the settings say of a model is what the runner finds."""

from decimal import Decimal

import msgspec

from api import models
from api.wiring import endpoint
from eventstore.secrets import Secret
from runner.llm.endpoints import Endpoint, Prices, Provider, Structured
from tests.configured import model


def test_a_model_that_is_configured_is_an_endpoint_for_the_runner_in_all_that_was_said_of_it() -> None:
    said = model(
        "big",
        provider="azure",
        model="gpt-4.1",
        base_url="https://ours.openai.azure.com",
        key=Secret("k"),
        api_version="2025-04-01",
        deployment="ours",
        headers={"x-team": Secret("web")},
        vision=True,
        fallback="small",
        temperature=0.5,
        max_output_tokens=100,
        call_seconds=10.0,
        quiet_seconds=5.0,
        structured="prompt",
        max_concurrent=2,
        prices=models.Prices(input=Decimal(2), output=Decimal(8), cached=Decimal("0.5")),
    )

    found = endpoint(said)

    given = {name: value for name, value in msgspec.structs.asdict(said).items() if name != "prices"}
    assert given == {name: getattr(found, name) for name in given}
    assert (Provider.AZURE, Structured.PROMPT) == (found.provider, found.structured)
    assert Prices(input=Decimal(2), output=Decimal(8), cached=Decimal("0.5")) == found.prices


def test_what_nobody_said_of_a_model_is_as_the_runner_has_it() -> None:
    plain = Endpoint(name="small", model="small", base_url="http://localhost:9/v1", provider=Provider.COMPATIBLE)

    assert plain == endpoint(model("small"))
