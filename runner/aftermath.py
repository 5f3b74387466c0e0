"""What follows from a task's end: its secrets go, its browser goes, and its session hears of it."""

from eventstore import answers
from eventstore.secrets import vault_name
from eventstore.task import Task
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.housekeeping import Housekeeping
from runner.keeping import forget, task_state
from runner.ports import Sessions
from runner.profiles import Profiles


class Aftermath:
    """Of one runner."""

    def __init__(
        self, tasks: Repository[Task], vault: Vault, browsers: Sessions, profiles: Profiles, houses: Housekeeping
    ) -> None:
        self._tasks = tasks
        self._vault = vault
        self._browsers = browsers
        self._profiles = profiles
        self._houses = houses

    async def secrets(self, stream: str) -> None:
        """Whoever ended the task: nobody types its secrets any more, nor what it was answered."""
        task = await self._tasks.load(stream)
        if task.created and task.created.secrets:
            await forget(self._vault, vault_name(stream, task.created))
        for request in task.asked:
            await forget(self._vault, answers.vault_name(stream, request))

    async def alone(self, stream: str, task: Task) -> None:
        """It has ended, and no attempt with it: nobody comes back to its browser, nor to what was kept of it."""
        if task.browser:
            self._browsers.end(task.browser)
        if task.created:
            lasting = await self._houses.kept_name(task.created)
            name = lasting or task_state(task.created)
            await self._profiles.leave_kept(task.created, stream, name, begun=task.step > 0, forgets=not lasting)

    async def session(self, stream: str) -> None:
        """Whatever follows for the task's session."""
        if created := (await self._tasks.load(stream)).created:
            await self._houses.ended(created)
