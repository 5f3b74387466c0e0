"""The demo shop sells, refuses and explains, seen by a client that has only HTTP."""

import re
from collections.abc import AsyncIterator
from html import unescape

import pytest
from aiohttp import ClientSession, ClientTimeout, CookieJar

from api.demo.shop import open_shop

ADA = {"email": "ada@example.com", "password": "lovelace"}
ADDRESS = {"name": "Ada <Lovelace>", "street": "12 St James's Square", "city": "London", "country": "United Kingdom"}
ORDER = {**ADDRESS, "delivery": "Express", "terms": "yes"}


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with open_shop() as url:
        yield url


@pytest.fixture
async def shop(url: str) -> AsyncIterator[ClientSession]:
    async with visitor(url) as client:
        yield client


def visitor(url: str) -> ClientSession:
    """A client with cookies of its own; `unsafe` lets it keep those of an IP address."""
    return ClientSession(url, cookie_jar=CookieJar(unsafe=True), timeout=ClientTimeout(total=10))


async def get(shop: ClientSession, path: str) -> tuple[int, str, str]:
    """The status, the path that redirects led to, and the page as words with single spaces."""
    async with shop.get(path) as response:
        return response.status, response.url.path_qs, words(await response.text())


async def post(shop: ClientSession, path: str, **form: str) -> tuple[int, str, str]:
    async with shop.post(path, data=form) as response:
        return response.status, response.url.path_qs, words(await response.text())


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def names(text: str) -> list[str]:
    return re.findall(r"Blue teapot|Green teapot|Beeswax candle|Desk lamp|Wall clock", text)


async def log_in_and_fill_the_basket(shop: ClientSession) -> None:
    await post(shop, "/login", **ADA)
    await post(shop, "/basket/add", product="blue-teapot", back="/")
    await post(shop, "/basket/add", product="stoneware-mug", back="/")
    await post(shop, "/basket", **{"blue-teapot": "1", "stoneware-mug": "2"})


async def test_a_purchase_goes_from_the_login_to_the_order(shop: ClientSession) -> None:
    await log_in_and_fill_the_basket(shop)

    _, _, basket = await get(shop, "/basket")
    status, path, order = await post(shop, "/checkout", **ORDER)
    _, _, after = await get(shop, "/basket")

    assert "Blue teapot €24.00 €24.00 Remove Stoneware mug €9.50 €19.00 Remove Total €43.00" in basket
    assert (200, "/order/TW-1001") == (status, path)
    assert "Thank you, Ada! Order TW-1001" in order
    assert "It goes to Ada <Lovelace>, 12 St James's Square, London, United Kingdom." in order
    assert "Blue teapot €24.00 1 €24.00 Stoneware mug €9.50 2 €19.00 Express delivery €6.50 Total €49.50" in order
    assert "Your basket is empty" in after


async def test_the_wrong_password_lets_nobody_in(shop: ClientSession) -> None:
    status, path, text = await post(shop, "/login", email="ada@example.com", password="byron")
    _, asked_again, _ = await get(shop, "/basket")

    assert (401, "/login") == (status, path)
    assert "The email or the password is wrong." in text
    assert "/login?next=/basket" == asked_again


async def test_an_order_needs_every_field_and_the_terms(shop: ClientSession) -> None:
    await log_in_and_fill_the_basket(shop)

    status, path, text = await post(shop, "/checkout", name="Ada", country="Atlantis", delivery="Express")

    assert (422, "/checkout") == (status, path)
    assert (
        "Please enter your street. Please enter your city. Please choose your country. Please accept the terms."
    ) in text


@pytest.mark.parametrize("path", ["/basket", "/checkout", "/order/TW-1001"])
async def test_who_has_not_logged_in_is_asked_to_and_then_gets_where_they_wanted(
    shop: ClientSession, path: str
) -> None:
    _, asked, _ = await get(shop, path)
    _, led_to, _ = await post(shop, "/login", **ADA, next=path)

    assert f"/login?next={path}" == asked
    assert path.replace("/checkout", "/basket") == led_to


@pytest.mark.parametrize("elsewhere", ["https://example.com/", "//example.com/", "/\\example.com"])
async def test_no_form_leads_out_of_the_shop(shop: ClientSession, elsewhere: str) -> None:
    async with shop.post("/login", data={**ADA, "next": elsewhere}, allow_redirects=False) as response:
        assert "/" == response.headers["Location"]


async def test_the_catalogue_searches_and_sorts(shop: ClientSession) -> None:
    _, _, teapots = await get(shop, "/?search=TEAPOT")
    _, _, by_price = await get(shop, "/?sort=Price")
    _, _, nothing = await get(shop, "/?search=<b>")

    assert ["Blue teapot", "Green teapot"] == names(teapots)
    assert ["Beeswax candle", "Blue teapot", "Green teapot", "Wall clock", "Desk lamp"] == names(by_price)
    assert [] == names(nothing)


async def test_what_was_searched_for_comes_back_as_text(shop: ClientSession) -> None:
    async with shop.get("/", params={"search": '"><script>alert(1)</script>'}) as response:
        text = await response.text()

    assert "<script>alert" not in text
    assert 'value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in text


async def test_a_row_can_be_removed_and_a_quantity_has_bounds(shop: ClientSession) -> None:
    await log_in_and_fill_the_basket(shop)

    _, _, bounded = await post(shop, "/basket", **{"blue-teapot": "12345678901234567890", "stoneware-mug": "many"})
    _, _, removed = await post(shop, "/basket", remove="blue-teapot")

    assert "Basket (101)" in bounded
    assert "Basket (2)" in removed
    assert [] == names(removed)


async def test_two_visitors_have_a_basket_and_orders_of_their_own(url: str, shop: ClientSession) -> None:
    await log_in_and_fill_the_basket(shop)
    await post(shop, "/checkout", **ORDER)

    async with visitor(url) as other:
        await post(other, "/login", **ADA)
        status, _, text = await get(other, "/order/TW-1001")

    assert 404 == status
    assert "There is no such order" in text


@pytest.mark.parametrize("name", ["style.css", "shop.js", "pictures.svg", "icon.svg"])
async def test_the_shop_brings_all_that_its_pages_need(shop: ClientSession, name: str) -> None:
    status, _, _ = await get(shop, f"/{name}")

    assert 200 == status


async def test_a_product_has_a_page_and_an_unknown_one_says_so(shop: ClientSession) -> None:
    status, _, text = await get(shop, "/product/desk-lamp")
    unknown, _, sorry = await get(shop, "/product/anvil")

    assert (200, 404) == (status, unknown)
    assert "Desk lamp A warm light on a steel arm that stays where you put it. €48.00 Add to basket" in text
    assert "There is no such product" in sorry
