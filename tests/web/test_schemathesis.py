"""What `/openapi.json` says is what is served: no request that it allows, or forbids, leads to anything it lacks."""

import asyncio
import itertools
from typing import Any, TypeAlias

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import ROUTES, create_app
from api.long_poll import LONGEST_SECONDS
from api.openapi import document
from api.service import Service
from tests.web.conftest import KEY, Drive, listening

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]

EXAMPLES = 6
SECONDS = 60.0
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
HEADERS = {"X-Browser-Use-API-Key": KEY}  # wins over whatever else a case says of who calls
few = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def operations() -> list[Operation]:
    schema = schemathesis.openapi.from_dict(document(ROUTES))
    results = list(schema.get_all_operations())
    assert all(isinstance(result, Ok) for result in results), results

    return [result.ok() for result in results if isinstance(result, Ok)]


CASES = [
    (operation, mode)
    for operation in operations()
    for mode in GenerationMode
    # Without a parameter there is nothing to get wrong.
    if mode is GenerationMode.POSITIVE or operation.definition.raw["parameters"] or operation.body
]


@pytest.mark.parametrize(("operation", "mode"), CASES, ids=[f"{each.label} {mode.value}" for each, mode in CASES])
async def test_every_operation_answers_as_it_is_described(
    service: Service, drive: Drive, operation: Operation, mode: GenerationMode
) -> None:
    await drive.key("read")
    tasks = [await drive.create() for _ in range(2)]
    await drive.start(tasks[0])
    await drive.step(tasks[0], screenshot=b"\x89PNG")
    await drive.stop(tasks[0])
    (key,) = (each.id for each in drive.service.projector.keys.every())
    known = itertools.cycle([tasks[0], tasks[1], None])
    # What says that it cannot be had here answers 501, and that is no failure.
    checks = [
        each for each in CHECKS if each is not not_a_server_error or "501" not in operation.responses.status_codes
    ]

    @few
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Operation]) -> None:
        # Chance alone finds no task: two of three requests name one that there is.
        if (task := next(known)) is not None:
            named = {"task_id": task, "key_id": key, "number": "1"}
            case.path_parameters |= {name: named[name] for name in case.path_parameters.keys() & named}
            case.query |= dict.fromkeys(case.query.keys() & {"task_id"}, task)
        if isinstance(wait := case.query.get("wait"), int | float) and 0 <= wait <= LONGEST_SECONDS:
            case.query["wait"] = 0  # nothing will change
        case.call_and_validate(base_url=f"http://127.0.0.1:{port}", headers=HEADERS, checks=checks, timeout=SECONDS)

    async with listening(create_app(service)) as port:
        await asyncio.to_thread(ask)
