"""For machines that watch the service: is it alive, may it be used, what does it do."""

from collections import defaultdict
from collections.abc import Iterable

import msgspec
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from api.errors import answer
from api.service import SERVICE
from api.sse import STREAMS
from api.wire import Route, reply

REQUESTS = web.AppKey("requests", dict[tuple[str, str], defaultdict[int, int]])
FOUND_AT_START = web.AppKey("found_at_start", int)
FULL = "the disk is nearly full: new tasks are refused and no pictures are kept"
_MEDIA = "text/plain; version=0.0.4; charset=utf-8"


class Health(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`ok`, or what is the matter. Positions are those of the log."""

    status: str
    position: int | None = None
    head: int | None = None


async def healthz(request: web.Request) -> web.Response:
    """The process answers."""
    return reply(Health(status="ok"))


async def readyz(request: web.Request) -> web.Response:
    """The views have caught up with what was on the tape at the start, and the log takes appends."""
    service = request.app[SERVICE]
    position, head = service.projector.position, service.store.head
    if (failure := service.store.failure) is not None:
        return answer(503, Health(status=str(failure), position=position, head=head))
    if service.ending.is_set():
        return answer(503, Health(status="the service is ending", position=position, head=head))
    if position < request.app[FOUND_AT_START]:
        return answer(503, Health(status="the views are catching up with the log", position=position, head=head))
    # Still ready: what runs can be watched, paused and stopped.
    status = FULL if service.space is not None and service.space.low else "ok"
    return reply(Health(status=status, position=position, head=head))


async def metrics(request: web.Request) -> web.Response:
    """What Prometheus scrapes. The registry is made for this scrape: there is nothing to keep."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(request.app))
    return web.Response(body=generate_latest(registry), headers={"Content-Type": _MEDIA})


class _Figures:
    def __init__(self, app: web.Application) -> None:
        self._app = app

    def collect(self) -> Iterable[Metric]:
        service = self._app[SERVICE]
        tasks = GaugeMetricFamily("tapewright_tasks", "Tasks by state.", labels=["state"])
        for state, count in service.projector.tasks.counts.items():
            tasks.add_metric([state], count)
        yield tasks
        head, lag = service.store.head, service.projector.lag
        yield GaugeMetricFamily("tapewright_log_head", "The position of the last event.", value=head)
        yield GaugeMetricFamily("tapewright_views_lag", "Events that the views have yet to see.", value=lag)
        low = service.space is not None and service.space.low
        yield GaugeMetricFamily("tapewright_disk_low", "1 while new tasks are refused for want of room.", value=low)
        yield GaugeMetricFamily("tapewright_streams", "Open event streams.", value=self._app[STREAMS].open)
        yield from self._webhooks()
        yield self._requests()

    def _webhooks(self) -> Iterable[Metric]:
        tally = self._app[SERVICE].tally
        yield GaugeMetricFamily(
            "tapewright_webhooks_owed", "Messages to webhooks that are still owed.", value=tally.owed
        )
        told = CounterMetricFamily(
            "tapewright_webhook_attempts", "Attempts at messages by outcome.", labels=["outcome"]
        )
        told.add_metric(["delivered"], tally.delivered)
        told.add_metric(["failed"], tally.failed)
        yield told
        dead = "Messages that were given up, since the start."
        yield CounterMetricFamily("tapewright_webhook_dead_letters", dead, value=tally.dead)

    def _requests(self) -> Metric:
        labels = ["method", "route", "status"]
        requests = CounterMetricFamily("tapewright_http_requests", "Requests by route and status.", labels=labels)
        for (method, path), statuses in self._app[REQUESTS].items():
            for status, count in statuses.items():
                requests.add_metric([method, path, str(status)], count)
        return requests


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/healthz",
        handler=healthz,
        summary="Is the process alive?",
        family="health",
        scope=None,
        cost=0,
        open=True,
        reply=Health,
    ),
    Route(
        method="GET",
        path="/readyz",
        handler=readyz,
        summary="May it be sent requests?",
        family="health",
        scope=None,
        cost=0,
        open=True,
        reply=Health,
        errors=(503,),
    ),
    Route(
        method="GET",
        path="/metrics",
        handler=metrics,
        summary="Figures for Prometheus",
        family="health",
        scope="admin",
        operator=True,
        reply=str,
        media="text/plain",
    ),
)
