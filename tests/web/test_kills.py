"""The service is killed at random moments and at exact ones: nothing that was acknowledged is missing, ever."""

from pathlib import Path

import pytest

from tests.killing import midwife
from tests.trial import KINDS, Trial


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path, kind: str) -> None:
    async with midwife(tmp_path / "log") as forks:
        trial = Trial(forks, tmp_path, seed=1)
        for _ in range(3):
            await trial.kill(kind)
        await trial.kill("load")
        await trial.prove()
        await trial.finish()

    assert [] == trial.wrong
    assert trial.kept > 0
