"""The one place that knows everybody: opens in order, closes in reverse, and owns what runs in the background."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from api import proxies, purging, retention
from api.auth import ensure_key
from api.background import background
from api.models import Configured
from api.models import Models as Configuration
from api.service import Service
from api.settings import Settings
from api.signing import Signer, load_secret
from api.witnessed import witnessed
from eventstore import folder, schedule
from eventstore.blobs import Blobs
from eventstore.clock import microseconds
from eventstore.directory import hold
from eventstore.errors import CannotOpen
from eventstore.files import sweep
from eventstore.hook import Hook
from eventstore.hook import evolve as hook_evolve
from eventstore.lent import FOLDER
from eventstore.outbox import Deliveries
from eventstore.outbox import evolve as deliveries_evolve
from eventstore.profile import Profile
from eventstore.profile import evolve as profile_evolve
from eventstore.scrub import scrub
from eventstore.session import Session
from eventstore.session import evolve as session_evolve
from eventstore.space import Space
from eventstore.sqlite import open_sqlite
from eventstore.task import Task, evolve
from eventstore.transact import Repository
from eventstore.vault import Vault, key_of
from projections.projector import open_projector
from runner.browser.browsers import BrowserSettings
from runner.browser.scratch import scratch
from runner.door import Door
from runner.egress.addresses import Network
from runner.egress.dial import system_resolve
from runner.egress.rules import Rules, private_networks
from runner.egress.upstream import Upstream
from runner.equipment import Models
from runner.lenders import LendingSettings, open_lending
from runner.lending import Lenders
from runner.llm.endpoints import Endpoint, Find, Prices, Provider, Structured
from runner.opening import RunnerSettings, open_worker
from runner.ports import Sessions
from runner.posting import Post
from runner.reel import Reels
from runner.scheduler import Scheduler
from runner.webhooks import Webhooks
from runner.worker import Worker


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """The open service. `new_key` is the key that the first start made: to be shown now or never."""

    service: Service
    worker: Worker
    new_key: str | None

    async def leave(self) -> None:
        """Refuse requests from now on, begin nothing more, and give back what is at work."""
        self.service.ending.set()
        await self.worker.leave()


@asynccontextmanager
async def open_service(
    settings: Settings,
    *,
    configured: Configuration | None = None,
    models: Models | None = None,
    sessions: Sessions | None = None,
    lenders: Lenders | None = None,
) -> AsyncIterator[Running]:
    """Everything but HTTP, ready for requests: the views have caught up and the runner has taken up its tasks.

    `configured` are the models that tasks may name. `models`, `sessions` and `lenders` take the place of those models,
    of a browser, and of those that clients drive.
    Raises CannotOpen, in a sentence. When the log breaks, the block is cancelled and Broken raised in its place.
    """
    directory = settings.data_dir
    async with AsyncExitStack() as stack:
        stack.enter_context(hold(directory, holder=f"process {os.getpid()} on {settings.host}:{settings.port}"))
        for each in (directory, directory / "vault", directory / "blobs"):
            sweep(each)
        stack.enter_context(scratch(directory))
        space = Space(directory, reserve=settings.disk_reserve)
        store = await stack.enter_async_context(
            open_sqlite(directory / "tape.db", durability=settings.durability, space=space)
        )
        # Before anything is built on the tape; and closed after all that writes to it, for the last checkpoint.
        await stack.enter_async_context(witnessed(store, directory, lossy=settings.durability == "normal"))
        projector = await stack.enter_async_context(open_projector(store, directory / "views"))
        tasks = Repository(store, Task(), evolve)
        blobs = Blobs(directory / "blobs", space)
        vault = Vault(directory / "vault", key_of(settings.vault_key.reveal()) if settings.vault_key else None)
        post = Post(Rules(private=_private(settings.allow_private)), system_resolve)
        reels = Reels()
        door = Door()
        service = Service(
            settings=settings,
            store=store,
            tasks=tasks,
            sessions=Repository(store, Session(), session_evolve),
            profiles=Repository(store, Profile(), profile_evolve),
            schedules=Repository(store, schedule.Schedule(), schedule.evolve),
            folders=Repository(store, folder.Folder(), folder.evolve),
            hooks=Repository(store, Hook(), hook_evolve),
            deliveries=Repository(store, Deliveries(), deliveries_evolve),
            refuse_target=post.refusal,
            projector=projector,
            blobs=blobs,
            vault=vault,
            signer=Signer(load_secret(directory)),
            space=space,
            models=configured or Configuration(),
            reels=reels,
            door=door,
            lends=True,
        )
        while await projector.advance():
            pass
        await stack.enter_async_context(background(projector.run()))
        await retention.finish(service)
        await purging.finish(service)
        runner_settings = _runner_settings(settings, _endpoints(service.models))
        # The runner last: it has everything above, and nothing above knows it.
        worker = await stack.enter_async_context(
            open_worker(
                store,
                tasks,
                blobs,
                vault,
                runner_settings,
                models=models,
                sessions=sessions,
                reels=reels,
                door=door,
                lodgers=service.sessions,
            )
        )
        await stack.enter_async_context(background(worker.run()))
        scheduler = Scheduler(store, tasks, vault, now=microseconds, catch_up=settings.missed_runs == "once")
        await scheduler.take_up()
        await stack.enter_async_context(background(scheduler.run()))
        webhooks = Webhooks(store, vault, post, service.tally)
        await webhooks.take_up()
        await stack.enter_async_context(background(webhooks.run()))
        lending = await stack.enter_async_context(
            open_lending(
                store,
                service.sessions,
                blobs,
                vault,
                _lending_settings(settings, runner_settings),
                lenders=lenders,
                reels=reels,
            )
        )
        await stack.enter_async_context(background(lending.run()))
        await stack.enter_async_context(background(scrub(store)))
        await stack.enter_async_context(background(retention.run(service)))
        # The key last: it can be shown only once, so nothing that may still fail comes after it.
        new_key = None if settings.api_key else await ensure_key(store)
        yield Running(service=service, worker=worker, new_key=new_key)


def _runner_settings(settings: Settings, endpoints: Find) -> RunnerSettings:
    return RunnerSettings(
        browser=BrowserSettings(
            executable=settings.browser or "",
            headless=settings.headless,
            private=_private(settings.allow_private),
            service_port=settings.port,
            isolated=settings.isolation == "browser",
            directory=settings.data_dir / "browsers",
            grace_seconds=settings.browser_grace,
            own_ports=set(),
        ),
        max_concurrent=settings.max_concurrent,
        max_attempts=settings.max_attempts,
        keep_paused_seconds=settings.paused_browser_grace,
        screenshots=settings.screenshots,
        session_idle_seconds=settings.session_idle,
        max_idle_sessions=settings.max_idle_sessions,
        input_seconds=settings.input_seconds,
        recordings=settings.recordings,
        files=settings.data_dir / "files",
        downloads_bytes=settings.downloads_bytes,
        proxies=_upstreams(settings),
        endpoints=endpoints,
    )


def _endpoints(models: Configuration) -> Find:
    def find(name: str) -> Endpoint | None:
        found = models.find(name)
        return None if found is None else endpoint(found)

    return find


def endpoint(model: Configured) -> Endpoint:
    """Where the runner finds a model. What nobody set is as the runner has it."""
    said = {name: value for name, value in msgspec.structs.asdict(model).items() if value is not None}
    said["provider"] = Provider(model.provider)
    said["structured"] = Structured(model.structured or Structured.AUTO)
    if model.prices:
        said["prices"] = Prices(**msgspec.structs.asdict(model.prices))
    return Endpoint(**said)


def _lending_settings(settings: Settings, runner: RunnerSettings) -> LendingSettings:
    return LendingSettings(
        browser=runner.browser,
        directory=settings.data_dir / FOLDER,
        most=settings.max_browsers,
        proxies=runner.proxies,
    )


def _upstreams(settings: Settings) -> dict[str, Upstream]:
    """The operator's proxies, which may be where he likes."""
    return {
        code: Upstream(
            host=each.host, port=each.port, user=each.user.reveal(), password=each.password.reveal(), trusted=True
        )
        for code, each in proxies.exits(settings).items()
    }


def _private(setting: str) -> tuple[Network, ...]:
    try:
        return private_networks(setting)
    except ValueError as error:
        raise CannotOpen(str(error)) from error
