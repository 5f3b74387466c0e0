"""`/docs`: the API to read and to try, from files of ours and of the installed bundle. Nothing comes from elsewhere."""

from pathlib import Path

from aiohttp import web
from swagger_ui_bundle import swagger_ui_path  # type: ignore[import-untyped]  # the package has no types

from api.wire import Route

_STATIC = Path(__file__).parent / "static"
_BUNDLE = Path(str(swagger_ui_path))
_FILES = {
    "docs.js": _STATIC / "docs.js",
    "swagger-ui.css": _BUNDLE / "swagger-ui.css",
    "swagger-ui-bundle.js": _BUNDLE / "swagger-ui-bundle.js",
    "favicon-32x32.png": _BUNDLE / "favicon-32x32.png",
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


async def docs(request: web.Request) -> web.StreamResponse:
    """The page."""
    return web.FileResponse(_STATIC / "docs.html", headers=_HEADERS)


async def root(request: web.Request) -> web.StreamResponse:
    """Whoever follows the address that the service prints wants to read."""
    return web.Response(status=302, headers={"Location": "/docs"})


async def asset(request: web.Request) -> web.StreamResponse:
    """One of the files that the page needs."""
    path = _FILES.get(request.match_info["file"])
    if path is None:
        raise web.HTTPNotFound(text="Not Found")
    return web.FileResponse(path, headers={**_HEADERS, "Cache-Control": "public, max-age=3600"})


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/",
        handler=root,
        summary="Leads to the documentation",
        family="docs",
        scope=None,
        open=True,
        documented=False,
    ),
    Route(
        method="GET",
        path="/docs",
        handler=docs,
        summary="The API to read and to try",
        family="docs",
        scope=None,
        open=True,
        documented=False,
    ),
    Route(
        method="GET",
        path="/docs/{file}",
        handler=asset,
        summary="What that page needs",
        family="docs",
        scope=None,
        open=True,
        documented=False,
    ),
)
