"""Whatever bytes or JSON a client sends, it is answered or refused, and never an accident of ours."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.v1.schemas import RunTask
from api.v2.schemas import CreateTask, SessionSettings
from tests.web.conftest import Client

V1 = st.sampled_from(RunTask.__struct_encode_fields__)
V2 = st.sampled_from(CreateTask.__struct_encode_fields__ + SessionSettings.__struct_encode_fields__)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["{}", '{"type":"object"}', "*.example.com", "http://[", "instructions", "auto", "\u0000"])
)
ANY = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | V1 | V2, inner, max_size=4)
)
LIKELY = st.fixed_dictionaries({"task": st.text(min_size=1) | LEAVES})
relaxed = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


@relaxed
@given(body=ANY | st.builds(lambda task, more: more | task, LIKELY, st.dictionaries(V1 | st.text(), ANY, max_size=6)))
async def test_any_json_to_run_task_is_answered_or_refused(client: Client, body: object) -> None:
    response = await client.post("/api/v1/run-task", data=json.dumps(body).encode())

    assert (response.status, sorted(await response.json())) in [(200, ["id"]), (422, ["detail"])]


@relaxed
@given(body=ANY | st.builds(lambda task, more: more | task, LIKELY, st.dictionaries(V2 | st.text(), ANY, max_size=6)))
async def test_any_json_to_v2s_tasks_is_answered_or_refused(client: Client, body: object) -> None:
    response = await client.post("/api/v2/tasks", data=json.dumps(body).encode())

    answers = [(202, ["id", "sessionId"]), (404, ["detail"]), (422, ["detail"])]
    assert (response.status, sorted(await response.json())) in answers


@relaxed
@given(body=st.binary())
async def test_any_bytes_to_run_task_are_refused(client: Client, body: bytes) -> None:
    response = await client.post("/api/v1/run-task", data=body)

    assert (422, ["detail"]) == (response.status, sorted(await response.json()))


@relaxed
@given(query=st.dictionaries(st.sampled_from(["page", "limit", "x"]), st.text() | st.integers().map(str)))
async def test_any_query_for_a_list_is_answered_or_refused(client: Client, query: dict[str, str]) -> None:
    response = await client.get("/api/v1/tasks", params=query)

    assert response.status in (200, 422)
