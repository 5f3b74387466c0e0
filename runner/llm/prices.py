"""What a call cost in US dollars, by a price list that is in the program; what is not known is None, never zero."""

from decimal import Decimal

from genai_prices import Usage as Counted
from genai_prices import calc_price

from runner.llm.endpoints import LOCAL, Endpoint, Prices, Provider
from runner.llm.heard import Tokens

MILLION = 1_000_000

PLACES = Decimal("0.0000000001")
"""A ten-billionth of a dollar: less than one cached token of the cheapest model costs."""


def cost(endpoint: Endpoint, tokens: Tokens, answered: str = "") -> str | None:
    """US dollars as a decimal string, or None. `answered` is what the endpoint called the model that answered."""
    dollars: Decimal | None
    if endpoint.prices:
        dollars = _by(endpoint.prices, tokens)
    elif tokens.dollars is not None and endpoint.provider is Provider.OPENROUTER:
        dollars = Decimal(str(tokens.dollars))
    else:
        dollars = _listed(endpoint, tokens, answered)
    return None if dollars is None else _plain(dollars)


def _by(prices: Prices, tokens: Tokens) -> Decimal:
    cached = min(tokens.cached, tokens.input)
    cheaper = prices.input if prices.cached is None else prices.cached
    total = prices.input * (tokens.input - cached) + cheaper * cached + prices.output * tokens.output
    return total / MILLION


def _listed(endpoint: Endpoint, tokens: Tokens, answered: str) -> Decimal | None:
    """By the list, for the model that answered or else the one that was asked: Azure's deployments have any name."""
    if endpoint.provider in LOCAL:
        return None
    compatible = endpoint.provider is Provider.COMPATIBLE
    counted = Counted(
        input_tokens=tokens.input, output_tokens=tokens.output, cache_read_tokens=min(tokens.cached, tokens.input)
    )
    for model in filter(None, (answered, endpoint.model)):
        try:
            if compatible:
                return calc_price(counted, model, provider_api_url=endpoint.base_url).total_price
            return calc_price(counted, model, provider_id=str(endpoint.provider)).total_price
        except LookupError:
            continue
    return None


def _plain(dollars: Decimal) -> str:
    """Without an exponent and without zeros at the end, as the tape has it."""
    text = f"{dollars.quantize(PLACES):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
