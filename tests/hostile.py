"""Pages that try every way out of a browser that they know, and a witness that writes down what arrives."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
from aiohttp import web

FORBIDDEN = "forbidden.test"
FORBIDDEN_ADDRESS = "127.0.0.2"
LOOKED_UP = "looked-up.test"
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\nConnection: close\r\n"
    b"Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Headers: *\r\n\r\nx"
)

MOVES = {
    "redirect": "<!-- {site}/to?code=302&url={url} -->",
    "redirect_307": "<!-- {site}/to?code=307&url={url} -->",
    "redirect_twice": "<!-- {site}/to?code=301&url={site}/to?code=302%26url={url} -->",
    "meta_refresh": "<meta http-equiv=refresh content='0;url={url}'>",
    "location": "<script>location = '{url}'</script>",
    "location_replace": "<script>location.replace('{url}')</script>",
    "link": "<a id=a href='{url}'>x</a><script>a.click()</script>",
    "download": "<a id=a download href='{url}'>x</a><script>a.click()</script>",
    "form_get": "<form id=f action='{url}'><input name=a></form><script>f.submit()</script>",
    "form_post": "<form id=f method=post action='{url}'><input name=a></form><script>f.submit()</script>",
    "popup": "<script>open('{url}')</script>",
    "popup_later": "<script>w = open('about:blank'); w.location = '{url}'</script>",
    "base": "<base href='{url}/'><a id=a href='.'>x</a><script>a.click()</script>",
}
"""Ways to leave the page: a page for each."""

PARTS = {
    "frame": "<iframe src='{url}'></iframe>",
    "frame_redirect": "<iframe src='{site}/to?code=302&url={url}'></iframe>",
    "frame_srcdoc": '<iframe srcdoc="<img src={url}>"></iframe>',
    "image": "<img src='{url}'>",
    "image_redirect": "<img src='{site}/to?code=302&url={url}'>",
    "image_set": "<img srcset='{url} 1x'>",
    "input_image": "<input type=image src='{url}'>",
    "svg_image": "<svg><image href='{url}'></image></svg>",
    "style_sheet": "<link rel=stylesheet href='{url}'>",
    "style_import": "<style>@import '{url}';</style>",
    "style_background": "<p style='background: url({url})'>x</p>",
    "font": "<style>@font-face {{ font-family: f; src: url({url}) }}</style><p style='font-family: f'>x</p>",
    "cursor": "<style>body {{ cursor: url({url}), auto }}</style>",
    "script": "<script src='{url}'></script>",
    "module": "<script type=module src='{url}'></script>",
    "dynamic_import": "<script>import('{url}').catch(() => 0)</script>",
    "fetch": "<script>fetch('{url}').catch(() => 0)</script>",
    "fetch_redirect": "<script>fetch('{site}/to?code=307&url={url}').catch(() => 0)</script>",
    "fetch_no_cors": "<script>fetch('{url}', {{mode: 'no-cors', method: 'POST', body: 'x'}}).catch(() => 0)</script>",
    "fetch_keepalive": "<script>fetch('{url}', {{keepalive: true}}).catch(() => 0)</script>",
    "xhr": "<script>x = new XMLHttpRequest(); x.open('POST', '{url}'); x.send('x')</script>",
    "beacon": "<script>navigator.sendBeacon('{url}', 'x')</script>",
    "ping": "<a id=p href='#x' ping='{url}'>x</a><script>p.click()</script>",
    "event_source": "<script>new EventSource('{url}')</script>",
    "worker": "<script>new Worker(URL.createObjectURL(new Blob([`fetch('{url}')`])))</script>",
    "worker_import": "<script>new Worker(URL.createObjectURL(new Blob([`importScripts('{url}')`])))</script>",
    "shared_worker": "<script>new SharedWorker('{site}/shared.js?url={url}')</script>",
    "service_worker": "<script>navigator.serviceWorker.register('{site}/service.js?url={url}')</script>",
    "worklet": "<script>CSS.paintWorklet?.addModule('{url}').catch(() => 0)</script>",
    "object": "<object data='{url}'></object>",
    "embed": "<embed src='{url}'>",
    "video": "<video src='{url}' preload=auto></video>",
    "video_poster": "<video poster='{url}'></video>",
    "audio": "<audio src='{url}' preload=auto></audio>",
    "track": "<video crossorigin><track default src='{url}'></video><script>"
    "document.querySelector('track').track.mode = 'showing'</script>",
    "prefetch": "<link rel=prefetch href='{url}'>",
    "preload": "<link rel=preload as=script href='{url}'>",
    "module_preload": "<link rel=modulepreload href='{url}'>",
    "csp_report": "<img src='{site}/reported.png'>",  # the header of the page says where to
    "web_socket": "<script>new WebSocket('ws://{authority}/')</script>",
    "web_socket_tls": "<script>new WebSocket('wss://{authority}/')</script>",
    "https": "<img src='https://{authority}/'>",
    "dns_prefetch": "<link rel=dns-prefetch href='//{looked_up}/'>",
    "preconnect": "<link rel=preconnect href='https://{authority}/'>",
    "speculation": '<script type=speculationrules>{{"prefetch": [{{"source": "list", "urls": ["https://{authority}/"],'
    ' "eagerness": "immediate"}}]}}</script>',
    "prerender": '<script type=speculationrules>{{"prerender": [{{"source": "list", "urls": ["https://{authority}/"],'
    ' "eagerness": "immediate"}}]}}</script>',
}
"""Ways to reach out that leave the page standing: all on one page."""

TUNNELS = ("web_socket", "web_socket_tls", "https", "preconnect", "speculation", "prerender")
"""Those that go through a tunnel: they have a port each, as the proxy sees no more of them."""

DATAGRAMS = ("stun", "turn", "turn_tcp", "web_transport")
"""Those that go past HTTP, if at all: a page and a port each."""

DATAGRAM_PAGE = """<!doctype html><title>trying</title><script>
async function ice(server) {{
    const peer = new RTCPeerConnection({{iceServers: [server]}});
    peer.createDataChannel("x");
    const gathered = new Promise((done) => peer.onicegatheringstatechange = () =>
        peer.iceGatheringState === "complete" && done());
    await peer.setLocalDescription(await peer.createOffer());
    await Promise.race([gathered, new Promise((done) => setTimeout(done, {milliseconds}))]);
}}
const account = {{username: "u", credential: "c"}};
Promise.allSettled([
    ice({{urls: "stun:{stun}"}}),
    ice({{urls: "turn:{turn}", ...account}}),
    ice({{urls: "turn:{turn_tcp}?transport=tcp", ...account}}),
    Promise.race([new WebTransport("https://{web_transport}/").ready,
        new Promise((done) => setTimeout(done, {milliseconds}))]),
]).then(() => document.title = "tried");
</script>"""


class Seen(msgspec.Struct, kw_only=True):
    """What arrived at the forbidden places: connections and datagrams in all, and by which ways."""

    arrivals: int = 0
    ways: set[str] = msgspec.field(default_factory=set)
    news: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    def note(self, way: str) -> None:
        self.ways.add(way)
        self.news.set()

    async def until(self, enough: Callable[[], bool]) -> None:
        """Wait for news until it is enough."""
        while not enough():
            self.news.clear()
            await self.news.wait()


class Hostile(msgspec.Struct, frozen=True, kw_only=True):
    """The pages at `site` and what reached the forbidden places; `ports` of the ways that have their own."""

    site: str
    seen: Seen
    port: int
    ports: Mapping[str, int]

    def way(self, url: str) -> str:
        """Which way a URL belongs to."""
        port = int(url.split(":")[2].split("/")[0])
        return next(
            (way for way, at in self.ports.items() if at == port), url.partition("?")[0].rstrip("/").rpartition("/")[2]
        )


class Datagrams(asyncio.DatagramProtocol):
    """Writes down that something came."""

    def __init__(self, seen: Seen, way: str) -> None:
        self._seen = seen
        self._way = way

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._seen.arrivals += 1
        self._seen.note(self._way)


@asynccontextmanager
async def witness(seen: Seen, way: str = "") -> AsyncIterator[int]:
    """A port for TCP and UDP that notes every connection, every datagram, and the path of every request."""

    async def heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.arrivals += 1
        try:
            first = await reader.read(64 * 1024)
            if first:
                seen.note(way or first.split()[1].decode().partition("?")[0].strip("/"))
                writer.write(ANSWER)
                await writer.drain()
        except ConnectionError:
            pass  # the browser was quicker to go; that it came is noted
        finally:
            writer.close()

    server = await asyncio.start_server(heard, FORBIDDEN_ADDRESS, 0)
    port = int(server.sockets[0].getsockname()[1])
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Datagrams(seen, way), local_addr=(FORBIDDEN_ADDRESS, port)
    )
    try:
        yield port
    finally:
        transport.close()
        server.close()


@asynccontextmanager
async def hostile() -> AsyncIterator[Hostile]:
    """The pages on 127.0.0.1, and forbidden places on 127.0.0.2."""
    seen = Seen()
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(witness(seen))
        ports = {way: await stack.enter_async_context(witness(seen, way)) for way in (*TUNNELS, *DATAGRAMS)}
        runner = web.AppRunner(_app(port, ports), shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Hostile(site=f"http://127.0.0.1:{runner.addresses[0][1]}", seen=seen, port=port, ports=ports)


def _app(port: int, ports: Mapping[str, int]) -> web.Application:
    def filled(way: str, text: str, request: web.Request) -> str:
        authority = f"{FORBIDDEN}:{ports.get(way, port)}"
        return text.format(
            url=f"http://{authority}/{way}", authority=authority, looked_up=LOOKED_UP, site=f"http://{request.host}"
        )

    def html(text: str, headers: Mapping[str, str] | None = None) -> web.Response:
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def move(request: web.Request) -> web.StreamResponse:
        text = filled(request.match_info["way"], MOVES[request.match_info["way"]], request)
        if text.startswith("<!--"):
            raise web.HTTPFound(text.split()[1])
        return html(f"<!doctype html><body>{text}")

    async def parts(request: web.Request) -> web.StreamResponse:
        text = "\n".join(filled(way, part, request) for way, part in PARTS.items())
        report = filled("csp_report", "script-src 'unsafe-inline' *; img-src 'none'; report-uri {url}", request)
        return html(f"<!doctype html><body>{text}", {"Content-Security-Policy-Report-Only": report})

    async def datagrams(request: web.Request) -> web.StreamResponse:
        places = {way: f"{FORBIDDEN_ADDRESS}:{ports[way]}" for way in DATAGRAMS}
        return html(DATAGRAM_PAGE.format(milliseconds=request.query["milliseconds"], **places))

    async def to(request: web.Request) -> web.StreamResponse:
        return web.Response(status=int(request.query["code"]), headers={"Location": request.query["url"]})

    async def worker(request: web.Request) -> web.StreamResponse:
        text = f"fetch('{request.query['url']}').catch(() => 0)"
        return web.Response(text=text, content_type="text/javascript")

    app = web.Application()
    app.router.add_get("/move/{way}", move)
    app.router.add_get("/parts", parts)
    app.router.add_get("/datagrams", datagrams)
    app.router.add_get("/to", to)
    app.router.add_get("/shared.js", worker)
    app.router.add_get("/service.js", worker)
    return app
