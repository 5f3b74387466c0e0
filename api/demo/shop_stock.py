"""What the demo shop sells and remembers: plain values, no HTTP and no HTML."""

from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent / "shop"
ACCOUNTS = {"ada@example.com": ("Ada", "lovelace")}
COUNTRIES = ("Austria", "France", "Germany", "Ireland", "Netherlands", "United Kingdom")
SORTS = ("Name", "Price")
MOST_OF_ONE = 99


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """`price` is in cents; `picture` and `tint` name a drawing and its colour."""

    id: str
    name: str
    price: int
    picture: str
    tint: str
    about: str


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """`cost` is in cents."""

    cost: int
    about: str


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """`basket` counts product ids; `delivery` is a key of DELIVERIES."""

    number: str
    basket: dict[str, int]
    name: str
    street: str
    city: str
    country: str
    delivery: str


class Visitor(msgspec.Struct, kw_only=True):
    """One who has logged in. `basket` counts product ids; `notice` is told once, on the next page."""

    name: str
    basket: dict[str, int] = msgspec.field(default_factory=dict)
    orders: dict[str, Order] = msgspec.field(default_factory=dict)
    notice: str = ""


PRODUCTS = {it.id: it for it in msgspec.json.decode((FOLDER / "products.json").read_bytes(), type=list[Product])}
DELIVERIES = {
    "Standard": Delivery(cost=0, about="3 to 5 days, free"),
    "Express": Delivery(cost=650, about="tomorrow, €6.50"),
}


def money(cents: int) -> str:
    return f"€{cents // 100}.{cents % 100:02}"


def total(basket: dict[str, int]) -> int:
    """In cents, without the delivery."""
    return sum(PRODUCTS[product].price * quantity for product, quantity in basket.items())


def found(search: str, sort: str) -> list[Product]:
    """The products whose name holds the words searched for, by name or by price."""
    hits = [it for it in PRODUCTS.values() if search.lower() in it.name.lower()]
    return sorted(hits, key=lambda it: (it.price if sort == "Price" else 0, it.name))


def changed(basket: dict[str, int], quantities: dict[str, str], removed: str) -> dict[str, int]:
    """The basket after what was typed into its quantity fields; what is not a number stays as it was."""
    after = {}
    for product, before in basket.items():
        typed = quantities.get(product, "")
        quantity = int(typed[:4]) if typed.isascii() and typed.isdigit() else before
        if quantity > 0 and product != removed:
            after[product] = min(quantity, MOST_OF_ONE)
    return after


def faults(fields: dict[str, str]) -> list[str]:
    """What is wrong with a filled-in checkout, in sentences."""
    wrong = [f"Please enter your {word}." for word in ("name", "street", "city") if not fields[word]]
    if fields["country"] not in COUNTRIES:
        wrong.append("Please choose your country.")
    if fields["delivery"] not in DELIVERIES:
        wrong.append("Please choose a delivery.")
    if not fields["terms"]:
        wrong.append("Please accept the terms.")
    return wrong
