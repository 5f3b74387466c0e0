"""The secrets of a schedule stay as long as it may be on the tape."""

import asyncio
from dataclasses import replace

import pytest

from api import schedules
from api.service import Caller, Service
from eventstore import events as e
from eventstore import schedule, secrets
from eventstore.secrets import Secret

TASK = e.TaskCreated(
    instruction="Look.", llm="l", session="", project="p", family="v1", request_digest="", secrets=("pin",)
)
WISH = e.ScheduleChanged(task=TASK, kind="interval", interval_minutes=5, start_at=1, end_at=2)


async def test_who_is_cut_off_while_his_schedule_is_written_takes_no_secret_with_him(service: Service) -> None:
    class CutOff:
        """Writes, and tells nobody."""

        async def transact(self, *given: object, **more: object) -> object:
            await service.schedules.transact(*given, **more)  # type: ignore[arg-type] # as they came
            raise asyncio.CancelledError

    cut_off = replace(service, schedules=CutOff())  # type: ignore[arg-type] # as much of a Repository as is used
    with pytest.raises(asyncio.CancelledError):
        await schedules.create(cut_off, Caller(actor="key:1", project="p"), WISH, {"pin": Secret("hunter2")})

    (made,) = await service.store.read()
    name = schedule.vault_name(made.stream.removeprefix(schedule.STREAM))
    assert {"pin": Secret("hunter2")} == await secrets.get(service.vault, name)
