"""The shop of the demonstration: a small site of its own on the loopback, whose state dies with it."""

from asyncio import timeout
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from hmac import compare_digest
from itertools import count
from secrets import token_urlsafe
from urllib.parse import quote

from aiohttp import web

from api.demo import shop_pages as pages
from api.demo.shop_stock import ACCOUNTS, FOLDER, MOST_OF_ONE, PRODUCTS, Order, Visitor, changed, faults, found

COOKIE = "shop"
VISITORS_KEPT = 1000
VISITORS = web.AppKey("VISITORS", dict[str, Visitor])
NUMBERS: web.AppKey[Iterator[int]] = web.AppKey("NUMBERS")
EMPTY = {"name": "", "street": "", "city": "", "country": "Austria", "delivery": "Standard", "terms": ""}
ASSETS = ("style.css", "shop.js", "pictures.svg", "icon.svg")
routes = web.RouteTableDef()


def visitor_of(request: web.Request) -> Visitor | None:
    return request.app[VISITORS].get(request.cookies.get(COOKIE, ""))


def customer(request: web.Request) -> Visitor:
    """The visitor; one who has not logged in is sent to do so first."""
    visitor = visitor_of(request)
    if visitor is None:
        raise web.HTTPSeeOther(f"/login?next={quote(request.path if request.method == 'GET' else '/')}")
    return visitor


def local(path: str) -> str:
    """A path of this shop: a forged form may not send people elsewhere."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


def text_of(form: Mapping[str, object], name: str) -> str:
    value = form.get(name, "")
    return value.strip()[:100] if isinstance(value, str) else ""


def page(request: web.Request, title: str, main: pages.Html, status: int = 200) -> web.Response:
    visitor = visitor_of(request)
    body = pages.layout(title, main, visitor, may_log_in=request.path != "/login")
    if visitor is not None:
        visitor.notice = ""
    headers = {"Content-Security-Policy": "default-src 'self'", "Cache-Control": "no-store"}
    return web.Response(text=body, content_type="text/html", status=status, headers=headers)


def missing(request: web.Request, what: str) -> web.Response:
    main = pages.fill("empty", heading=f"There is no such {what}", text="Was it a typing error?")
    return page(request, "Not found", main, 404)


@routes.get("/login")
async def ask_who(request: web.Request) -> web.Response:
    return page(request, "Log in", pages.login("", local(request.query.get("next", "/")), []))


@routes.post("/login")
async def log_in(request: web.Request) -> web.Response:
    form = await request.post()
    email, after = text_of(form, "email"), local(text_of(form, "next"))
    name, password = ACCOUNTS.get(email.lower(), ("", ""))
    if not name or not compare_digest(password.encode(), text_of(form, "password").encode()):
        wrong = ["The email or the password is wrong."]
        return page(request, "Log in", pages.login(email, after, wrong), 401)
    visitors = request.app[VISITORS]
    if len(visitors) >= VISITORS_KEPT:
        del visitors[next(iter(visitors))]
    token = token_urlsafe(24)
    visitors[token] = Visitor(name=name)
    response = web.HTTPSeeOther(after)
    response.set_cookie(COOKIE, token, httponly=True, samesite="Lax")
    raise response


@routes.post("/logout")
async def log_out(request: web.Request) -> web.Response:
    request.app[VISITORS].pop(request.cookies.get(COOKIE, ""), None)
    raise web.HTTPSeeOther("/login")


@routes.get("/")
async def show_catalogue(request: web.Request) -> web.Response:
    search, sort = text_of(request.query, "search"), text_of(request.query, "sort")
    return page(request, "All products", pages.catalogue(found(search, sort), search, sort, request.path_qs))


@routes.get("/product/{id}")
async def show_product(request: web.Request) -> web.Response:
    product = PRODUCTS.get(request.match_info["id"])
    return page(request, product.name, pages.product(product)) if product else missing(request, "product")


@routes.post("/basket/add")
async def add(request: web.Request) -> web.Response:
    visitor, form = customer(request), await request.post()
    product = PRODUCTS.get(text_of(form, "product"))
    if product is None:
        return missing(request, "product")
    visitor.basket[product.id] = min(visitor.basket.get(product.id, 0) + 1, MOST_OF_ONE)
    visitor.notice = f"{product.name} is in your basket."
    raise web.HTTPSeeOther(local(text_of(form, "back")))


@routes.get("/basket")
async def show_basket(request: web.Request) -> web.Response:
    return page(request, "Basket", pages.basket(customer(request).basket))


@routes.post("/basket")
async def change_basket(request: web.Request) -> web.Response:
    visitor, form = customer(request), await request.post()
    quantities = {key: text_of(form, key) for key in form}
    visitor.basket = changed(visitor.basket, quantities, text_of(form, "remove"))
    raise web.HTTPSeeOther("/basket")


@routes.get("/checkout")
async def ask_where(request: web.Request) -> web.Response:
    visitor = customer(request)
    if not visitor.basket:
        raise web.HTTPSeeOther("/basket")
    return page(request, "Check out", pages.checkout(visitor.basket, EMPTY, []))


@routes.post("/checkout")
async def place_order(request: web.Request) -> web.Response:
    visitor, form = customer(request), await request.post()
    if not visitor.basket:
        raise web.HTTPSeeOther("/basket")
    fields = {name: text_of(form, name) for name in EMPTY}
    if wrong := faults(fields):
        return page(request, "Check out", pages.checkout(visitor.basket, fields, wrong), 422)
    del fields["terms"]
    numbers = request.app[NUMBERS]
    number = f"TW-{next(numbers)}"
    visitor.orders[number] = Order(number=number, basket=visitor.basket, **fields)
    visitor.basket = {}
    raise web.HTTPSeeOther(f"/order/{number}")


@routes.get("/order/{number}")
async def show_order(request: web.Request) -> web.Response:
    visitor = customer(request)
    order = visitor.orders.get(request.match_info["number"])
    return (
        page(request, f"Order {order.number}", pages.order(order, visitor.name)) if order else missing(request, "order")
    )


async def asset(name: str, request: web.Request) -> web.FileResponse:
    return web.FileResponse(FOLDER / name, headers={"Cache-Control": "no-cache"})


def create_app() -> web.Application:
    """The shop, with nobody logged in and the first order to be TW-1001."""
    app = web.Application()
    app[VISITORS] = {}
    app[NUMBERS] = count(1001)
    app.add_routes(routes)
    app.add_routes([web.get(f"/{name}", partial(asset, name)) for name in ASSETS])
    return app


@asynccontextmanager
async def open_shop(
    host: str = "127.0.0.1", port: int = 0, *, app: web.Application | None = None
) -> AsyncIterator[str]:
    """Serve `app`, else a new shop, while open; yields its base URL, without a slash at the end. Port 0 takes any."""
    runner = web.AppRunner(app or create_app(), access_log=None, shutdown_timeout=1)
    try:
        async with timeout(10):
            await runner.setup()
            await web.TCPSite(runner, host, port).start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
