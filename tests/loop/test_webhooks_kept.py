"""A start of the runner sweeps the vault, and leaves the secrets of webhooks that live."""

from eventstore import events as e
from eventstore import hook
from tests.loop.conftest import World


async def test_a_start_of_the_runner_keeps_the_secrets_of_webhooks(world: World) -> None:
    for name in ("living", "deleted"):
        await world.vault.put(hook.vault_name(name), b"a secret")
        created = e.HookCreated(project="p", url="https://a.test/")
        await world.store.append(hook.stream(name), 0, [created], actor="key:1")
    await world.store.append(hook.stream("deleted"), 1, [e.HookDeleted()], actor="key:1")

    async with world.worker():
        pass

    assert b"a secret" == await world.vault.get(hook.vault_name("living"))
    assert await world.vault.get(hook.vault_name("deleted")) is None
