"""The demo shop's HTML: templates beside it are filled here, and every value is escaped on its way in."""

from collections.abc import Iterable
from html import escape
from string import Template

from api.demo.shop_stock import (
    COUNTRIES,
    DELIVERIES,
    FOLDER,
    MOST_OF_ONE,
    PRODUCTS,
    SORTS,
    Order,
    Product,
    Visitor,
    money,
    total,
)

TEMPLATES = {path.stem: Template(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.html")}


class Html(str):
    """Text that is markup already, so that it is not escaped again."""


def fill(template: str, **values: object) -> Html:
    safe = {name: value if isinstance(value, Html) else escape(str(value)) for name, value in values.items()}
    return Html(TEMPLATES[template].substitute(safe))


def joined(parts: Iterable[str]) -> Html:
    return Html("\n".join(parts))


def layout(title: str, main: Html, visitor: Visitor | None, *, may_log_in: bool) -> Html:
    links, notice = Html(""), Html("")
    if visitor is not None:
        links = fill("links", name=visitor.name, count=sum(visitor.basket.values()))
        notice = fill("notice", text=visitor.notice) if visitor.notice else notice
    elif may_log_in:
        links = Html('<a href="/login">Log in</a>')
    return fill("layout", title=title, main=main, links=links, notice=notice)


def problems(sentences: list[str]) -> Html:
    """Nothing, or a box that says what is wrong."""
    lines = joined(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return fill("problems", lines=lines) if sentences else Html("")


def options(choices: Iterable[str], chosen: str) -> Html:
    return joined(f"<option{' selected' if choice == chosen else ''}>{escape(choice)}</option>" for choice in choices)


def login(email: str, after: str, wrong: list[str]) -> Html:
    return fill("login", email=email, next=after, problems=problems(wrong))


def product(it: Product) -> Html:
    return fill("product", **as_values(it))


def catalogue(products: list[Product], search: str, sort: str, here: str) -> Html:
    cards = joined(fill("card", back=here, **as_values(it)) for it in products)
    hidden = Html(" hidden" if products else "")
    return fill("catalogue", search=search, orders=options(SORTS, sort), cards=cards, hidden=hidden)


def as_values(it: Product) -> dict[str, str]:
    return {
        "id": it.id,
        "name": it.name,
        "price": money(it.price),
        "picture": it.picture,
        "tint": it.tint,
        "about": it.about,
    }


def row(it: Product, count: int, quantity: Html, extra: Html) -> Html:
    cost = money(it.price * count)
    return fill("row", id=it.id, name=it.name, price=money(it.price), quantity=quantity, total=cost, extra=extra)


def basket(counts: dict[str, int]) -> Html:
    if not counts:
        return fill("empty", heading="Your basket is empty", text="The teapots are nice.")
    rows = joined(
        row(
            PRODUCTS[key],
            count,
            fill("quantity", id=key, name=PRODUCTS[key].name, count=count, most=MOST_OF_ONE),
            fill("remove", id=key),
        )
        for key, count in counts.items()
    )
    removals = joined(fill("removal", id=key) for key in counts)
    return fill("basket", rows=rows, removals=removals, total=money(total(counts)))


def checkout(counts: dict[str, int], fields: dict[str, str], wrong: list[str]) -> Html:
    deliveries = joined(
        fill("delivery", name=name, about=it.about, checked=Html(" checked" if name == fields["delivery"] else ""))
        for name, it in DELIVERIES.items()
    )
    pieces = sum(counts.values())
    return fill(
        "checkout",
        problems=problems(wrong),
        name=fields["name"],
        street=fields["street"],
        city=fields["city"],
        countries=options(COUNTRIES, fields["country"]),
        deliveries=deliveries,
        count="One piece" if pieces == 1 else f"{pieces} pieces",
        total=money(total(counts)),
    )


def order(it: Order, buyer: str) -> Html:
    cost = DELIVERIES[it.delivery].cost
    return fill(
        "order",
        buyer=buyer,
        number=it.number,
        name=it.name,
        street=it.street,
        city=it.city,
        country=it.country,
        rows=joined(row(PRODUCTS[key], count, Html(count), Html("")) for key, count in it.basket.items()),
        delivery=it.delivery,
        cost=money(cost),
        total=money(total(it.basket) + cost),
    )
