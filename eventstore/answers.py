"""What a person is asked: kinds of questions, what an answer is called, and where the vault keeps it. Pure."""

KINDS = ("text", "code", "captcha", "confirm")
"""`text` and `code` want a value that is then typed; a captcha is solved by hand; a confirmation is yes or no."""

VALUED = frozenset({"text", "code"})
YES, NO = "yes", "no"
DONE = "done"
"""What the vault keeps where only that it was answered counts."""

_FIRST = "answer"


def answer_name(number: int) -> str:
    """What the `number`-th answer (from 1) is called where secrets are called by names."""
    return _FIRST if number == 1 else f"{_FIRST} {number}"


def is_answer(name: str, answered: int) -> bool:
    """Whether the name is that of one of so many answers."""
    first, _, number = name.partition(" ")
    return first == _FIRST and (1 if not number else int(number) if number.isdecimal() else 0) in range(1, answered + 1)


def vault_name(stream: str, request: str) -> str:
    """Where the vault has the answer to the question of that id, until the task at the stream has ended."""
    return f"input/{stream}/{request}"
