"""Which DevTools commands a client may send to a browser that it was lent, and why not. Pure tables and questions.

What is not in the table of domains is refused: what a later Chromium brings is looked at before it is let in.
"""

import re
from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DOMAINS = _words(
    """
    Accessibility Animation Audits Autofill BackgroundService Browser CacheStorage Console CSS Debugger
    DeviceOrientation DOM DOMDebugger DOMSnapshot DOMStorage Emulation EventBreakpoints FedCm Fetch HeadlessExperimental
    HeapProfiler IndexedDB Input Inspector IO LayerTree Log Media Memory Network Overlay Page Performance
    PerformanceTimeline Preload Profiler Runtime Schema Security ServiceWorker Storage Target Tracing WebAudio WebAuthn
    """
)

REFUSED: Mapping[str, str] = {
    "Browser.crash": "it would end the browser; stop the session instead",
    "Browser.crashGpuProcess": "it would end a process that the service looks after",
    "Browser.executeBrowserCommand": "it would open pages of the browser's own",
    "Browser.getBrowserCommandLine": "it would tell how the service runs the browser",
    "Page.addCompilationCache": "the browser would run it unchecked",
    "ServiceWorker.inspectWorker": "it would open DevTools pages",
    "Target.exposeDevToolsProtocol": "a page would have the browser's whole protocol",
    "Target.getDevToolsTarget": "it would lead to DevTools pages",
    "Target.openDevTools": "it would open DevTools pages",
    "Target.sendMessageToTarget": "what is answered could not be followed; attach with flatten, and use sessionId",
    "Target.setRemoteLocations": "the browser would connect past its proxy",
}
"""Commands of those domains that are refused, and why."""

NOT_EMPTY: Mapping[str, Mapping[str, str]] = {
    "Target.createBrowserContext": {
        "proxyServer": "all traffic leaves through the session's own proxy; give a customProxy when creating it",
        "proxyBypassList": "all traffic leaves through the session's own proxy",
        "originsWithUniversalNetworkAccess": "no page may reach past the rules of its origin",
    },
    "Tracing.start": {"perfettoConfig": "it may name files; use traceConfig"},
}
"""Parameters that must be left out or empty, and why."""

GOING = frozenset({"Page.navigate", "Target.createTarget"})
"""Commands that must name an address."""

BESIDE = frozenset({"Debugger.setBreakpointByUrl", "DOMDebugger.setXHRBreakpoint", "DOMDebugger.removeXHRBreakpoint"})
"""Commands whose `url` is only compared with others."""

SCHEMES = frozenset({"http", "https", "ws", "wss", "data", "blob"})
BLANK = frozenset({"", "about:blank", "about:srcdoc"})

KINDS = (
    "page",
    "iframe",
    "worker",
    "shared_worker",
    "service_worker",
    "tab",
    "worklet",
    "auction_worklet",
    "shared_storage_worklet",
)
"""The sorts of targets that a client may attach to: pages and what belongs to them, none of the browser's own."""

BYSTANDER = _words(
    """
    Accessibility.enable CSS.enable DOM.enable Emulation.setFocusEmulationEnabled Log.enable Network.enable Page.enable
    Page.getFrameTree Page.setLifecycleEventsEnabled Performance.enable Runtime.enable Runtime.runIfWaitingForDebugger
    Security.enable Target.detachFromTarget Target.setAutoAttach
    """
)
"""All that may be said to a target that shows one of the browser's own pages, such as its viewer for PDF."""

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_EDGES = "".join(map(chr, range(33)))


def refusal_of_url(url: str, *, named: bool = False) -> str:
    """Why a browser may not be sent to this URL, or an empty string. With `named` it must name its scheme itself."""
    for ignored in "\t\n\r":  # as a browser reads it; it may be megabytes of them
        url = url.replace(ignored, "")
    url = url.strip(_EDGES)
    scheme = _SCHEME.match(url)
    if scheme is None:
        return "" if not named or not url else f"{_shown(url)} names no scheme"
    known = scheme[1].lower()
    if known in SCHEMES or url.lower().partition("#")[0].partition("?")[0] in BLANK:
        return ""
    return f"{_shown(url)} is none of the web's: only http, https, data, blob and about:blank addresses may be opened"


def ordinary(url: str) -> bool:
    """Whether a target at this URL is a page of the web, or one that failed to be."""
    return url.startswith("chrome-error:") or not refusal_of_url(url)


def _shown(url: str) -> str:
    return url if len(url) <= 200 else f"{url[:200]}…"
