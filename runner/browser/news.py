"""What happens in a session by itself, in sentences: questions that pages ask, and tabs that come and go."""

from collections import deque

from playwright.async_api import Dialog

from runner.browser.outline import whole

MOST_NEWS = 50
DIALOG_CHARACTERS = 2_000


class News:
    """Of one session; the oldest are forgotten. `count` is how many there were so far, `questions` how many asked."""

    def __init__(self) -> None:
        self.count = 0
        self.questions = 0
        self._last: deque[str] = deque(maxlen=MOST_NEWS)

    def tell(self, sentence: str, *, question: bool = False) -> None:
        """Something happened."""
        self.count += 1
        self.questions += question
        self._last.append(sentence)

    def since(self, count: int) -> tuple[str, ...]:
        """What has happened after so many, as far as it is remembered."""
        new = self.count - count
        return tuple(self._last)[-new:] if new else ()


def asked(dialog: Dialog, *, accepted: bool, answer: str) -> str:
    """What a page asked or said, and what it was answered."""
    message = whole(" ".join(dialog.message.split())[:DIALOG_CHARACTERS])
    answer = whole(answer[:DIALOG_CHARACTERS])  # it may be what the page itself proposed
    match dialog.type:
        case "alert":
            return f'the page said "{message}"'
        case "beforeunload":
            return f"the page asked whether to leave it, which was {'confirmed' if accepted else 'declined'}"
        case "prompt" if accepted:
            return f'the page asked "{message}", which was answered with "{answer}"'
        case _:
            return f'the page asked "{message}", which was {"confirmed" if accepted else "declined"}'
