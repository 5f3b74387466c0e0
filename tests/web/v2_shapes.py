"""A task as v2 shows it, for tests to compare with: a new one, and what differs."""

SESSION = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
NOW = "2023-11-07T05:31:56Z"


def item(task_id: str, **fields: object) -> dict[str, object]:
    """A task in a list: a new one, and what differs."""
    new: dict[str, object] = {
        "id": task_id,
        "sessionId": SESSION,
        "llm": "instructions",
        "task": "Open the shop.",
        "status": "created",
        "createdAt": NOW,
        "startedAt": None,
        "finishedAt": None,
        "metadata": {},
        "output": None,
        "browserUseVersion": None,
        "isSuccess": None,
        "judgement": None,
        "judgeVerdict": None,
        "cost": None,
        "suggestions": None,
    }
    return new | fields


def view(task_id: str, **fields: object) -> dict[str, object]:
    """The whole of a task: a new one, and what differs."""
    return item(task_id) | {"steps": [], "outputFiles": []} | fields
