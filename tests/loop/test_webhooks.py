"""Webhooks on the memory store: told in order, at least once, whoever fails, hangs or is killed meanwhile."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from eventstore import decide, outbox
from eventstore import events as e
from eventstore import hook as hooks
from eventstore.clock import microseconds
from eventstore.hook import Hook
from eventstore.outbox import Deliveries, Tally
from eventstore.store import Recorded
from eventstore.task import Task, evolve
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.egress.dial import Resolve, system_resolve
from runner.egress.rules import Rules, private_networks
from runner.posting import Post
from runner.webhooks import Webhooks
from tests.receiving import LIMIT, Receiver, receiving
from tests.refusing import Refusing

AT_ONCE = (0.0,) * 5
LOOPBACK = Rules(private=private_networks("loopback"))


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000_000

    def __call__(self) -> int:
        return self.now


class World:
    """A tape with tasks and webhooks; followers come and go on it."""

    def __init__(self, path: Path, receiver: Receiver) -> None:
        self.store = Refusing()
        self.vault = Vault(path / "vault")
        self.receiver = receiver
        self.tasks = Repository(self.store, Task(), evolve)
        self.hooks = Repository(self.store, Hook(), hooks.evolve)
        self.deliveries = Repository(self.store, Deliveries(), outbox.evolve)
        self.tally = Tally()

    @asynccontextmanager
    async def following(
        self,
        *,
        retry: Sequence[float] = AT_ONCE,
        clock: Callable[[], int] = microseconds,
        rules: Rules = LOOPBACK,
        resolve: Resolve = system_resolve,
        window: int = 1_000,
        checkpoint_events: int = 10_000,
    ) -> AsyncIterator[Webhooks]:
        """A follower at work; leaving ends it as a kill does: what is under way is not recorded."""
        self.tally = Tally()
        webhooks = Webhooks(
            self.store,
            self.vault,
            Post(rules, resolve),
            self.tally,
            retry=retry,
            clock=clock,
            window=window,
            checkpoint_events=checkpoint_events,
        )
        await webhooks.take_up()
        running = asyncio.create_task(webhooks.run())
        try:
            yield webhooks
        finally:
            running.cancel()
            (ended,) = await asyncio.gather(running, return_exceptions=True)
            assert isinstance(ended, asyncio.CancelledError), ended

    async def hook(self, name: str = "h", path: str = "/hook", **fields: object) -> str:
        await self.vault.put(hooks.vault_name(name), b"a secret")
        created = msgspec.convert({"project": "p", "url": self.receiver.url(path), **fields}, e.HookCreated)
        await self.hooks.transact(hooks.stream(name), partial(hooks.create, created=created), actor="key:1")
        return name

    async def delete(self, name: str) -> None:
        await self.hooks.transact(hooks.stream(name), hooks.delete, actor="key:1")

    async def redeliver(self, name: str, task: str, source: int) -> None:
        again = partial(outbox.redeliver, source=source)
        await self.deliveries.transact(hooks.deliveries(name, task), again, actor="key:1")

    async def create(self, task: str = "t", **fields: object) -> None:
        asked: dict[str, object] = {"instruction": "i", "llm": "l", "session": "s", "project": "p", "family": "v1"}
        created = msgspec.convert({**asked, "request_digest": "", **fields}, e.TaskCreated)
        await self._decide(task, partial(decide.create, created=created))

    async def start(self, task: str = "t") -> None:
        await self._decide(task, partial(decide.claim, runner="r"))
        await self._record(
            task, lambda fence: e.TaskStarted(fence=fence, browser="b", viewport_width=1, viewport_height=1)
        )

    async def pause(self, task: str = "t") -> None:
        await self._decide(task, decide.pause)
        fence = (await self.tasks.load(f"task-{task}")).fence
        await self._decide(task, partial(decide.park, fence=fence))

    async def resume(self, task: str = "t") -> None:
        await self._decide(task, decide.resume)
        fence = (await self.tasks.load(f"task-{task}")).fence
        await self._decide(task, partial(decide.unpark, fence=fence))

    async def finish(self, task: str = "t") -> None:
        await self._record(task, lambda fence: e.TaskFinished(fence=fence, success=True))

    async def whole(self, task: str = "t") -> None:
        """A task from its creation to its end: three statuses."""
        await self.create(task)
        await self.start(task)
        await self.finish(task)

    async def said(self, *kinds: type[e.Event]) -> list[e.Event]:
        """All events of these kinds that the tape has."""
        return [recorded.event for recorded in await self.all() if isinstance(recorded.event, kinds)]

    async def all(self) -> Sequence[Recorded]:
        tape: list[Recorded] = []
        while page := await self.store.read(len(tape)):
            tape += page
        return tape

    async def until(self, good: Callable[[Sequence[Recorded]], bool]) -> None:
        """Return when the tape is so."""
        async with asyncio.timeout(LIMIT):
            while not good(await self.all()):
                await self.store.wait(self.store.head)

    async def recorded(self, kind: type[e.Event], number: int = 1) -> None:
        """Return when the tape has so many events of the kind."""
        await self.until(lambda tape: sum(isinstance(each.event, kind) for each in tape) >= number)

    async def _record(self, task: str, fact: Callable[[int], e.Event]) -> None:
        fence = (await self.tasks.load(f"task-{task}")).fence
        await self._decide(task, lambda state: decide.record(state, fact(fence)))

    async def _decide(self, task: str, decision: Callable[[Task], list[e.Event]]) -> None:
        await self.tasks.transact(f"task-{task}", decision, actor="runner:r")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with receiving() as receiver:
        yield World(tmp_path, receiver)


ALL = ["initializing", "started", "finished"]


async def test_each_status_is_told_once_and_in_order(world: World) -> None:
    await world.hook()
    async with world.following():
        await world.create()
        await world.start()
        await world.pause()
        await world.resume()
        await world.finish()

        await world.recorded(e.HookDelivered, 5)

    assert ["initializing", "started", "paused", "started", "finished"] == world.receiver.told()


async def test_it_is_told_of_its_own_project_and_of_what_comes_after_it(world: World) -> None:
    await world.whole("before")
    await world.hook()
    async with world.following():
        await world.create("foreign", project="q")
        await world.whole()

        await world.recorded(e.HookDelivered, 3)

    assert [("t", status) for status in ALL] == [(each.task, each.status) for each in world.receiver.got]


async def test_a_new_one_is_tested_where_that_was_asked_for(world: World) -> None:
    async with world.following():
        await world.hook("h", "/tested", events=(hooks.STATUS_UPDATE, hooks.TEST))
        await world.hook("n", "/not")
        await world.whole()
        await world.recorded(e.HookDelivered, 7)

    assert {"test", *ALL} == set(world.receiver.told("/tested"))
    assert ALL == world.receiver.told("/not")


async def test_what_fails_is_tried_again_and_later_statuses_wait_for_it(world: World) -> None:
    world.receiver.replies["/hook"] = [500, 503, 200]
    await world.hook()
    async with world.following():
        await world.whole()
        await world.recorded(e.HookDelivered, 3)

    assert ["initializing", "initializing", "initializing", "started", "finished"] == world.receiver.told()
    assert ["HTTP 500", "HTTP 503"] == [each.error for each in await world.said(e.HookFailed)]  # type: ignore[attr-defined] # a HookFailed


async def test_after_five_tries_more_there_is_a_dead_letter_and_the_order_goes_on(world: World) -> None:
    world.receiver.replies["/hook"] = [500] * 6
    await world.hook()
    async with world.following():
        await world.whole()
        await world.recorded(e.HookDelivered, 2)

    failed = [each for each in await world.said(e.HookFailed) if isinstance(each, e.HookFailed)]
    assert ["initializing"] * 6 + ["started", "finished"] == world.receiver.told()
    assert [(1, False), (2, False), (3, False), (4, False), (5, False), (6, True)] == [
        (each.attempt, each.next_at == 0) for each in failed
    ]
    assert (6, 1) == (world.tally.failed, world.tally.dead)


async def test_a_dead_letter_is_delivered_again_when_that_is_asked_for(world: World) -> None:
    world.receiver.replies["/hook"] = [500]
    await world.hook()
    async with world.following(retry=()):
        await world.whole()
        await world.recorded(e.HookDelivered, 2)
        source = world.receiver.got[0].source

        await world.redeliver("h", "t", source)
        await world.recorded(e.HookDelivered, 3)

    assert [*ALL, "initializing"] == world.receiver.told()
    assert source == world.receiver.got[-1].source


async def test_it_is_tried_again_when_the_schedule_says_and_not_before(world: World) -> None:
    clock = Clock()
    world.receiver.replies["/hook"] = [500, 500]
    await world.hook()
    async with world.following(retry=(10.0, 60.0), clock=clock) as webhooks:
        await world.create()
        await world.recorded(e.HookFailed)
        clock.now += 9_999_999
        webhooks.wake()
        await world.hook("other", "/other", events=("test",))
        await world.recorded(e.HookDelivered)
        assert 1 == len(world.receiver.at())

        clock.now += 1
        webhooks.wake()
        await world.recorded(e.HookFailed, 2)
        clock.now += 60_000_000
        webhooks.wake()
        await world.recorded(e.HookDelivered, 2)

    assert ["initializing"] * 3 == world.receiver.told()


async def test_one_that_hangs_delays_nobody_else(world: World) -> None:
    hang = asyncio.Event()
    world.receiver.replies["/hangs"] = [hang] * 100
    await world.hook("h", "/hangs")
    await world.hook("g", "/good")
    async with world.following():
        for number in range(20):
            await world.whole(f"t{number}")
        await world.receiver.many(60, "/good")

        assert 0 == len(world.receiver.at("/hangs"))
        hang.set()
        await world.receiver.many(60, "/hangs")

    for path in ("/good", "/hangs"):
        for number in range(20):
            assert ALL == [each.status for each in world.receiver.at(path) if each.task == f"t{number}"]


async def test_what_a_kill_cut_off_is_told_again_and_nothing_is_lost(world: World) -> None:
    hang = asyncio.Event()
    world.receiver.replies["/hook"] = [200, hang]
    await world.hook()
    async with world.following():
        await world.create()
        await world.start()
        await world.receiver.until(lambda: len(world.receiver.begun) == 2)
    await world.finish()

    async with world.following():
        await world.recorded(e.HookDelivered, 3)

    assert ["initializing", "started", "started", "finished"] == [each.status for each in world.receiver.begun]


async def test_a_wait_for_the_next_try_outlives_a_restart(world: World) -> None:
    clock = Clock()
    world.receiver.replies["/hook"] = [500]
    await world.hook()
    async with world.following(retry=(10.0,), clock=clock):
        await world.create()
        await world.recorded(e.HookFailed)

    async with world.following(retry=(10.0,), clock=clock) as webhooks:
        await world.hook("other", "/other", events=("test",))
        await world.recorded(e.HookDelivered)
        assert 1 == len(world.receiver.at())
        clock.now += 10_000_000
        webhooks.wake()
        await world.recorded(e.HookDelivered, 2)

    assert 2 == len(world.receiver.at())


async def test_a_deleted_one_is_told_nothing_more_and_its_secret_is_gone(world: World) -> None:
    hang = asyncio.Event()
    world.receiver.replies["/hook"] = [hang]
    await world.hook()
    await world.hook("other", "/other")
    async with world.following():
        await world.create()
        await world.receiver.until(lambda: world.receiver.begun != [] and len(world.receiver.begun) == 2)
        await world.delete("h")
        await world.start()
        await world.recorded(e.HookDelivered, 2)
        hang.set()
        await world.finish()
        await world.recorded(e.HookDelivered, 3)

    assert ["initializing"] == [each.status for each in world.receiver.begun if each.path == "/hook"]
    assert [] == await world.said(e.HookFailed)
    assert await world.vault.get(hooks.vault_name("h")) is None


async def test_one_for_a_task_goes_with_it_when_all_is_told(world: World) -> None:
    async with world.following():
        await world.hook("h", task="t")
        await world.create("other")
        await world.whole()
        await world.recorded(e.HookDeleted)

    assert [("t", status) for status in ALL] == [(each.task, each.status) for each in world.receiver.got]
    assert [e.HookDeleted(reason="the task has ended")] == await world.said(e.HookDeleted)


async def test_one_for_a_task_stays_with_its_dead_letters_until_they_are_told(world: World) -> None:
    world.receiver.replies["/hook"] = [200, 200, 500]
    async with world.following(retry=()):
        await world.hook("h", task="t")
        await world.whole()
        await world.recorded(e.HookFailed)
    async with world.following(retry=()):
        await world.redeliver("h", "t", world.receiver.got[-1].source)
        await world.recorded(e.HookDeleted)

    assert [*ALL, "finished"] == world.receiver.told()


@pytest.mark.parametrize("ended", [True, False])
async def test_one_for_a_task_that_ended_or_never_was_goes_at_the_next_start(world: World, ended: bool) -> None:
    await world.hook("h", task="t", events=("agent.task.status_update.paused",))
    if ended:
        await world.whole()

    async with world.following():
        await world.recorded(e.HookDeleted)

    assert [] == world.receiver.got


async def test_one_with_more_than_fits_into_memory_is_told_all(world: World) -> None:
    await world.hook()
    for number in range(100):
        await world.whole(f"t{number}")

    async with world.following(window=3):
        await world.recorded(e.HookDelivered, 300)

    for number in range(100):
        assert ALL == [each.status for each in world.receiver.got if each.task == f"t{number}"]


async def test_the_next_start_reads_from_where_nothing_is_owed(world: World) -> None:
    world.receiver.replies["/hook"] = [500]
    await world.hook()
    async with world.following(retry=(3_600.0,), checkpoint_events=20):
        await world.create("stuck")
        await world.recorded(e.HookFailed)
        for number in range(10):
            await world.whole(f"t{number}")
        await world.recorded(e.HookDelivered, 30)
    stuck = [each.source for each in await world.said(e.HookFailed) if isinstance(each, e.HookFailed)]
    settled = [each.through for each in await world.said(e.OutboxSettled) if isinstance(each, e.OutboxSettled)]

    assert all(through < min(stuck) for through in settled)


async def test_a_checkpoint_is_no_gap(world: World) -> None:
    await world.hook()
    async with world.following(checkpoint_events=20):
        for number in range(10):
            await world.whole(f"t{number}")
        await world.recorded(e.OutboxSettled)
        await world.recorded(e.HookDelivered, 30)
    await world.whole("late")

    async with world.following(checkpoint_events=20):
        await world.recorded(e.HookDelivered, 33)

    assert 33 == len(world.receiver.got)


REFUSED = "127.0.0.1 is a loopback address; TAPEWRIGHT_ALLOW_PRIVATE=loopback would allow it"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "[::1]"])
async def test_a_private_target_is_told_nothing(world: World, host: str) -> None:
    await world.hook(url=f"http://{host}:{world.receiver.port}/hook")
    async with world.following(retry=(), rules=Rules()):
        await world.create()
        await world.recorded(e.HookFailed)

    (failed,) = await world.said(e.HookFailed)
    assert isinstance(failed, e.HookFailed)
    assert "a loopback address; TAPEWRIGHT_ALLOW_PRIVATE=loopback would allow it" in failed.error
    assert [] == world.receiver.begun


async def test_a_name_that_has_come_to_lead_inside_is_told_nothing(world: World) -> None:
    leads = [["127.0.0.1"], ["127.0.0.1", "10.0.0.7"]]

    async def resolve(host: str, port: int) -> list[str]:
        return leads.pop(0)

    await world.hook(url=f"http://hook.test:{world.receiver.port}/hook")
    async with world.following(retry=(), resolve=resolve):
        await world.create()
        await world.recorded(e.HookDelivered)
        await world.start()
        await world.recorded(e.HookFailed)

    (failed,) = await world.said(e.HookFailed)
    assert isinstance(failed, e.HookFailed)
    assert failed.error.startswith("hook.test leads to 10.0.0.7, which is a private address")
    assert ["initializing"] == world.receiver.told()


async def test_an_answer_without_end_and_a_redirect_cost_no_more_than_an_attempt(world: World) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(bytes(65_536))
        return response

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": world.receiver.url("/elsewhere")})

    world.receiver.replies["/hook"] = [elsewhere, endless]
    await world.hook()
    async with world.following():
        await world.create()
        await world.recorded(e.HookDelivered)

    (failed,) = await world.said(e.HookFailed)
    assert isinstance(failed, e.HookFailed)
    assert "HTTP 307; redirects are not followed" == failed.error
    assert ["/hook", "/hook"] == [message.path for message in world.receiver.begun]


async def test_what_the_log_does_not_take_yet_is_not_told_twice(world: World) -> None:
    world.store.refuses[e.HookDelivered] = 2
    await world.hook()
    async with world.following():
        await world.whole()
        await world.recorded(e.HookDelivered, 3)

    assert ALL == world.receiver.told()
    assert 2 == world.store.refused


async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(tmp_path: Path) -> None:
    async with receiving(ssl_context=self_signed(tmp_path)) as receiver:
        world = World(tmp_path, receiver)
        await world.hook(url=receiver.url().replace("http://", "https://"))
        async with world.following(retry=()):
            await world.create()
            await world.recorded(e.HookFailed)

    (failed,) = await world.said(e.HookFailed)
    assert isinstance(failed, e.HookFailed)
    assert failed.error.startswith("the certificate was not accepted")
    assert [] == receiver.begun


def self_signed(path: Path) -> ssl.SSLContext:
    """A server's side, with a certificate for 127.0.0.1 that it has made itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = path / "hook.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
