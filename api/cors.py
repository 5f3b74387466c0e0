"""Which web pages may call the API: those of the origins that are set, exactly; without any, a browser asks in vain."""

from aiohttp import hdrs, web

MAX_AGE_SECONDS = 600
_HEADERS = "Authorization, X-Browser-Use-API-Key, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID"
_SHOWN = "Retry-After, Idempotency-Replayed, ETag"


class Cors:
    """The origins, as a browser names them. Cookies play no part here, so credentials are never allowed."""

    def __init__(self, setting: str) -> None:
        """`setting` is a list with commas between; see `Settings.cors_origins`."""
        self.origins = frozenset(origin.strip().rstrip("/").lower() for origin in setting.split(",") if origin.strip())

    def allows(self, request: web.Request) -> bool:
        """Whether the request comes from a page of such an origin."""
        return request.headers.get(hdrs.ORIGIN, "").lower() in self.origins

    async def mark(self, request: web.Request, response: web.StreamResponse) -> None:
        """Before a response is sent: let the browser show it to the page. Caches must keep the origins apart."""
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)
        if self.allows(request):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = request.headers[hdrs.ORIGIN]
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _SHOWN

    def preflight(self, request: web.Request, methods: set[str]) -> web.Response | None:
        """The answer to a browser that asks first, or None where it is no such question or the origin is a stranger."""
        if request.method != hdrs.METH_OPTIONS or hdrs.ACCESS_CONTROL_REQUEST_METHOD not in request.headers:
            return None
        if not self.allows(request):
            return None
        return web.Response(
            status=204,
            headers={
                hdrs.ACCESS_CONTROL_ALLOW_METHODS: ", ".join(sorted(methods)),
                hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _HEADERS,
                hdrs.ACCESS_CONTROL_MAX_AGE: str(MAX_AGE_SECONDS),
            },
        )


CORS = web.AppKey("cors", Cors)
