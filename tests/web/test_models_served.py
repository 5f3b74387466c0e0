"""A service with a table of models, asked over HTTP: its tasks run on a model that is really asked, within limits."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from api.model_environment import load
from api.serving import bound, listening
from api.settings import Settings
from api.wiring import open_service
from tests.model_server import KEY as MODEL_KEY
from tests.model_server import ModelServer, Text, Turn, model_server
from tests.modelled import ends, says
from tests.serving import Stages

KEY = "a-key-that-is-long-enough"
OPEN = Text(says({"navigate": {"url": "http://shop.test/"}}))
END = Text(ends("Lamp, 12 euros"))


class Served:
    """The service and its model, over HTTP. Every answer of the model takes 110 tokens."""

    def __init__(self, http: aiohttp.ClientSession, model: ModelServer) -> None:
        self._http = http
        self.model = model

    async def create(self, **fields: object) -> str:
        """The id of a new task, asked for in v2's words."""
        async with self._http.post("/api/v2/tasks", json={"task": "Find it.", "thinking": False, **fields}) as answer:
            return str((await answer.json())["id"])

    async def becomes(self, task_id: str, word: str) -> None:
        """Once v1 says so of the task."""
        now = ""
        while now != word:
            query = {"wait": "10", "known": now} if now else None
            async with self._http.get(f"/api/v1/task/{task_id}/status", params=query) as answer:
                now = await answer.json()
            assert now in (word, "created", "running", "paused"), (await self.view(task_id))["output"]

    async def resume(self, task_id: str) -> None:
        async with self._http.put("/api/v1/resume-task", params={"task_id": task_id}) as answer:
            assert 200 == answer.status

    async def view(self, task_id: str, family: str = "v2/tasks") -> dict[str, object]:
        async with self._http.get(f"/api/{family}/{task_id}") as answer:
            found: dict[str, object] = await answer.json()
            return found


@asynccontextmanager
async def serving(tmp_path: Path, turns: Sequence[Turn], **limits: object) -> AsyncIterator[Served]:
    """As `tapewright serve` runs it, with a stage for a browser and one model, the default."""
    async with model_server(turns) as model:
        table = tmp_path / "models.toml"
        table.write_text(
            f'[lamp-finder]\nprovider = "compatible"\nmodel = "model-x"\nbase_url = "{model.url}"\n'
            'key_env = "HOUSE_KEY"\n'
            "vision = false\nprices = { input = 10, output = 20 }\n"
        )
        plain: dict[str, object] = {"data_dir": tmp_path / "data", "port": 0, "api_key": KEY, "models": table}
        settings = Settings(**plain | limits)  # type: ignore[arg-type] # a mistake shows at once
        stages = Stages(str(tmp_path / "effects"), hangs=False)
        opened = partial(open_service, configured=load(settings, {"HOUSE_KEY": MODEL_KEY}), sessions=stages)
        with bound(settings) as port:
            async with (
                opened(settings) as running,
                listening(running.service, port) as url,
                aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {KEY}"}) as http,
            ):
                yield Served(http, model)


async def test_a_task_runs_on_the_default_model_of_the_table_and_tells_what_that_cost(tmp_path: Path) -> None:
    async with serving(tmp_path, [OPEN, END]) as served:
        task_id = await served.create(systemPromptExtension="Prices are in euros.", flashMode=False)
        await served.becomes(task_id, "finished")

        view = await served.view(task_id)

    asked = served.model.requests
    assert ("lamp-finder", "Lamp, 12 euros", True) == (view["llm"], view["output"], view["isSuccess"])
    assert "0.0024" == view["cost"]  # twice 100 tokens in and 10 out
    assert ["model-x"] * 2 == [each.body["model"] for each in asked]
    assert {f"Bearer {MODEL_KEY}"} == {each.headers["Authorization"] for each in asked}
    assert asked[0].texts[0].endswith("Prices are in euros.")


@pytest.mark.parametrize("limits", [{"max_tokens": 110}, {"max_cost_usd": 0.0012}])
async def test_a_task_that_has_used_up_what_it_may_waits_until_somebody_allows_as_much_again(
    tmp_path: Path, limits: dict[str, object]
) -> None:
    async with serving(tmp_path, [OPEN, END], on_limit="pause", **limits) as served:
        task_id = await served.create()
        await served.becomes(task_id, "paused")
        held, calls = await served.view(task_id, "tape/tasks"), len(served.model.requests)

        await served.resume(task_id)
        await served.becomes(task_id, "finished")

        assert ("budget", 1, 2) == (held["hold"], calls, len(served.model.requests))


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"max_tokens": 110}, "The task has used 110 tokens; it may use 110."),
        ({"max_cost_usd": 0.001}, "The task has cost 0.0012 US dollars; it may cost 0.001."),
    ],
)
async def test_a_task_that_may_not_wait_fails_and_says_which_limit_it_was(
    tmp_path: Path, limits: dict[str, object], reason: str
) -> None:
    async with serving(tmp_path, [OPEN, END], **limits) as served:
        task_id = await served.create()
        await served.becomes(task_id, "failed")

        view = await served.view(task_id)

        assert (False, True, 1) == (view["isSuccess"], reason in str(view["output"]), len(served.model.requests))


async def test_resuming_allows_as_many_steps_again_also_to_the_instructions(tmp_path: Path) -> None:
    async with serving(tmp_path, [END], on_limit="pause") as served:
        task_id = await served.create(
            task="Go to http://a.test/. Go to http://b.test/. Go to http://c.test/.", llm="instructions", maxSteps=2
        )
        await served.becomes(task_id, "paused")
        held = await served.view(task_id)

        await served.resume(task_id)
        await served.becomes(task_id, "finished")

        steps = [len(list(view["steps"])) for view in (held, await served.view(task_id))]  # type: ignore[call-overload] # a list
        assert ([2, 3], []) == (steps, served.model.requests)
