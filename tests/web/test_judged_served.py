"""A service whose model judges: asked for in v2's words, told in v2's and in our own, with the tape as its evidence."""

import json
from pathlib import Path

from tests.model_server import Text
from tests.web.test_models_served import END, OPEN, serving

RULING = Text(
    json.dumps(
        {
            "reasoning": "The price was never seen.",
            "verdict": False,
            "failure_reason": "It was made up.",
            "impossible_task": False,
            "reached_captcha": False,
            "evidence": [{"position": 5, "says": "The page was opened."}, {"position": 999, "says": "Nothing."}],
        }
    )
)


async def test_a_task_that_is_to_be_judged_is_judged_by_its_own_model_and_stays_as_it_says_itself(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, [OPEN, END, RULING]) as served:
        task_id = await served.create(judge=True, judgeGroundTruth="14 euros")
        await served.becomes(task_id, "finished")

        view, ours = await served.view(task_id), await served.view(task_id, "tape/tasks")

    report = json.loads(str(view["judgement"]))
    assert (True, False, "It was made up.") == (view["isSuccess"], view["judgeVerdict"], report["failure_reason"])
    assert [{"position": 5, "says": "The page was opened."}] == report["evidence"]
    assert {"verdict": False, "report": report} == ours["judgement"]
    assert ["judged_unsuccessful"] == [each["type"] for each in view["suggestions"]]  # type: ignore[attr-defined] # a list
    assert "14 euros" in served.model.requests[2].last
    assert "0.0036" == view["cost"]  # the judge's call too


async def test_what_instructions_did_is_judged_by_the_model_that_is_named(tmp_path: Path) -> None:
    async with serving(tmp_path, [RULING]) as served:
        words = {"task": "Go to http://shop.test/.", "llm": "instructions", "judge": True, "judgeLlm": "lamp-finder"}
        task_id = await served.create(**words)
        await served.becomes(task_id, "finished")

        view = await served.view(task_id)

    assert (True, False, 1) == (view["isSuccess"], view["judgeVerdict"], len(served.model.requests))
