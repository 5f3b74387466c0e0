"""The secrets of a schedule stay as long as it may be on the tape."""

import asyncio
from dataclasses import replace

import msgspec
import pytest

from api import schedules
from api.service import Caller, Service
from eventstore import events as e
from eventstore import schedule, secrets
from eventstore.errors import DiskFull
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
    name = schedule.vault_name(made.stream.removeprefix(schedule.STREAM), "")
    assert {"pin": Secret("hunter2")} == await secrets.get(service.vault, name)


async def test_a_change_that_the_log_refuses_leaves_the_secrets_as_they_were(service: Service) -> None:
    class Full:
        """Takes nothing."""

        async def transact(self, *_given: object, **_more: object) -> object:
            raise DiskFull("The disk is full.")

    caller = Caller(actor="key:1", project="p")
    made = await schedules.create(service, caller, WISH, {"pin": Secret("hunter2")})
    full = replace(service, schedules=Full())  # type: ignore[arg-type] # as much of a Repository as is used
    with pytest.raises(DiskFull):
        await schedules.change(full, caller, made, WISH, {"pin": Secret("hunter3")})

    assert {"pin": Secret("hunter2")} == await schedules.kept(service, made)


async def test_a_change_without_secrets_keeps_those_that_there_are(service: Service) -> None:
    caller = Caller(actor="key:1", project="p")
    made = await schedules.create(service, caller, WISH, {"pin": Secret("hunter2")})
    stale = await schedules.change(service, caller, made, WISH, {"pin": Secret("hunter3")})

    changed = await schedules.change(service, caller, made, msgspec.structs.replace(WISH, active=False), None)

    assert stale.current.kept == changed.current.kept
    assert {"pin": Secret("hunter3")} == await schedules.kept(service, changed)
