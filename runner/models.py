"""Which model a task gets, and who reads pages for it: by the name that it was created with."""

from runner.keyless.instructions import Instructions
from runner.llm.agent import Agent
from runner.llm.extraction import Extraction
from runner.llm.pool import Clients
from runner.model import Assignment, Model, Reader

INSTRUCTIONS = "instructions"
"""The model that needs no other."""


class Choice:
    """Of one process, by the clients of the models that are configured."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def model(self, assignment: Assignment) -> Model:
        """Raises ActFailed: for an instruction or a schema that cannot be read, and for a model that is gone."""
        created = assignment.created
        if created.llm == INSTRUCTIONS:
            return keyless(assignment)
        return Agent(created, self._clients.of(created.llm), assignment.ledger)

    def reader(self, assignment: Assignment) -> Reader | None:
        """Who answers questions about pages; nobody where the task has no such model. Raises ActFailed: no_model."""
        created = assignment.created
        if created.llm == INSTRUCTIONS:
            return None
        return Extraction(self._clients.of(created.llm), assignment.ledger, created.agent.thinking_level)


def keyless(assignment: Assignment) -> Model:
    """The model that reads the instruction sentence by sentence. Raises ActFailed where it cannot."""
    created = assignment.created
    return Instructions(
        created.instruction, created.output_schema, start_url=created.start_url, secrets=created.secrets
    )
