"""What a judge said of a task, and what could be changed: in v2's words and in our own, until it is redacted."""

import json

from eventstore import events as e
from tests.web.conftest import Client, Drive

REPORT = '{"reasoning":"The basket is empty.","verdict":false,"evidence":[{"position":4,"says":"no click"}]}'
SAID = (
    "The judge holds that the task was not done. Read failure_reason in the judgement, and make the task say what must "
    "be so in the end."
)


async def judged(drive: Drive, *, verdict: bool | None = False, report: str = REPORT) -> str:
    """A task that has ended; its judgement is at position 4."""
    task_id = await drive.create(family="v2", llm="gpt-4.1")
    await drive.start(task_id)
    fence = (await drive.tape(task_id))[1].version
    judgement = e.JudgementRecorded(fence=fence, model="gpt-4.1", verdict=verdict, report=report)
    await drive.record(task_id, judgement)
    await drive.finish(task_id, "bought")
    return task_id


async def test_v2_shows_the_verdict_the_report_and_the_suggestions_and_the_judge_changes_no_success(
    client: Client, drive: Drive
) -> None:
    task_id = await judged(drive)

    whole = await (await client.get(f"/api/v2/tasks/{task_id}")).json()
    (listed,) = (await (await client.get("/api/v2/tasks")).json())["items"]

    suggestion = {"type": "judged_unsuccessful", "message": SAID, "evidence": "4"}
    for shown in (whole, listed):
        assert (True, False, [suggestion]) == (shown["isSuccess"], shown["judgeVerdict"], shown["suggestions"])
        assert json.loads(REPORT) == json.loads(shown["judgement"])


async def test_without_a_judge_and_with_nothing_to_suggest_v2_says_null(client: Client, drive: Drive) -> None:
    task_id = await drive.create(family="v2")
    await drive.start(task_id)
    await drive.finish(task_id)

    shown = await (await client.get(f"/api/v2/tasks/{task_id}")).json()

    assert (None, None, None) == (shown["judgement"], shown["judgeVerdict"], shown["suggestions"])


async def test_a_judge_without_a_verdict_says_why_not(client: Client, drive: Drive) -> None:
    task_id = await judged(drive, verdict=None, report='{"verdict":null,"problem":"It did not answer."}')

    shown = await (await client.get(f"/api/v2/tasks/{task_id}")).json()

    assert (None, "It did not answer.") == (shown["judgeVerdict"], json.loads(shown["judgement"])["problem"])
    assert None is shown["suggestions"]


async def test_the_tape_shows_the_report_as_json_and_a_task_as_it_stood_before_it(client: Client, drive: Drive) -> None:
    task_id = await judged(drive)

    now = await (await client.get(f"/api/tape/tasks/{task_id}")).json()
    before = await (await client.get(f"/api/tape/tasks/{task_id}", params={"at": "3"})).json()

    assert {"verdict": False, "report": json.loads(REPORT)} == now["judgement"]
    assert [{"code": "judged_unsuccessful", "message": SAID, "evidence": [4]}] == now["suggestions"]
    assert not {"judgement", "suggestions"} & before.keys()


async def test_a_redacted_task_has_no_judgement_and_no_suggestions(client: Client, drive: Drive) -> None:
    task_id = await judged(drive)
    assert 200 == (await client.post(f"/api/tape/tasks/{task_id}/redact", json={"reason": "asked for"})).status

    shown = await (await client.get(f"/api/v2/tasks/{task_id}")).json()
    ours = await (await client.get(f"/api/tape/tasks/{task_id}")).json()

    assert (None, None, None) == (shown["judgement"], shown["judgeVerdict"], shown["suggestions"])
    assert not {"judgement", "suggestions"} & ours.keys()
