"""The command line: what `run` asks of the service."""

import pytest

from eventstore.events import TaskCreated
from tests.web.conftest import Drive
from tests.web.test_cli import Command, command, known, server
from tests.web.test_reruns import service

__all__ = ["command", "known", "server", "service"]  # fixtures


async def test_run_gives_secrets_by_name_and_says_who_judges_and_who_sees(
    command: Command, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("run", "open shop.test", "--model", "m", "--allowed-domain", "shop.test", "--secret", "PIN_OF_SHOP")

    absent = await command(*words, "--detach")
    monkeypatch.setenv("PIN_OF_SHOP", "1234")
    given = await command(*words, "--judge", "--no-vision", "--detach")

    assert (2, "") == (absent.code, absent.out)
    assert "The secret PIN_OF_SHOP is in no environment variable of that name" in absent.err
    assert (0, "") == (given.code, given.err)
    created = (await drive.tape(given.out.strip()))[0].event
    assert isinstance(created, TaskCreated)
    assert (("PIN_OF_SHOP",), True, "off") == (created.secrets, created.agent.judge, created.agent.vision)
