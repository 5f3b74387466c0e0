"""What an endpoint says, put together from the parts of a stream or taken whole; whatever it adds is left out."""

import msgspec

MOST_TOKENS = 100_000_000
MOST_DOLLARS = 10_000.0
"""Of one call. What an endpoint counts beyond, or below nothing, is not believed: limits are reckoned by it."""


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """As the endpoint counted them; `cached` are those of the input that it had from before.

    `dollars` is what it says that the call cost, if it says so.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    dollars: float | None = None


class _Part(msgspec.Struct):
    text: str | None = None


class _Called(msgspec.Struct):
    arguments: str | dict[str, object] | None = None


class _Tool(msgspec.Struct):
    index: int | None = None
    function: _Called | None = None


class _Said(msgspec.Struct):
    content: str | list[_Part] | None = None
    refusal: str | None = None
    tool_calls: list[_Tool] | None = None


class _Choice(msgspec.Struct):
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None


class _Details(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    prompt_cache_hit_tokens: int | None = None
    cost: float | None = None


class _Chunk(msgspec.Struct):
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: _Usage | None = None


class Heard:
    """An answer as far as it has come. `tokens` are None as long as the endpoint has not counted them."""

    def __init__(self) -> None:
        self.model = ""
        self.finish = ""
        self.refusal = ""
        self.tokens: Tokens | None = None
        self.size = 0
        self.begun = False
        self._text: list[str] = []
        self._arguments: list[str] = []

    @property
    def text(self) -> str:
        """What was said; where a tool was called instead, what it was called with."""
        text, arguments = "".join(self._text).strip(), "".join(self._arguments)
        return characters(arguments if arguments and "{" not in text else text)

    @property
    def whole(self) -> bool:
        """Whether it came to its end; there are endpoints that give no reason, but count."""
        return bool(self.finish) or self.tokens is not None

    def add(self, data: object) -> None:
        """Raises ValueError for what no endpoint says."""
        chunk = msgspec.convert(data, _Chunk, strict=False)
        self.begun = True
        self.model = chunk.model or self.model
        for choice in (chunk.choices or [])[:1]:
            self.finish = choice.finish_reason or self.finish
            said = choice.delta or choice.message
            if said is not None:
                self._hear(said)
        if chunk.usage is not None:
            self._count(chunk.usage)

    def _hear(self, said: _Said) -> None:
        content = [_Part(text=said.content)] if isinstance(said.content, str) else said.content or []
        self._put(self._text, [part.text for part in content])
        self.refusal += (said.refusal or "")[: 1000 - len(self.refusal)]
        for tool in said.tool_calls or []:
            if tool.function is None or tool.index:  # of several calls the first
                continue
            arguments = tool.function.arguments
            text = msgspec.json.encode(arguments).decode() if isinstance(arguments, dict) else arguments
            self._put(self._arguments, [text])

    def _put(self, to: list[str], parts: list[str | None]) -> None:
        for part in filter(None, parts):
            to.append(part)
            self.size += len(part)

    def _count(self, usage: _Usage) -> None:
        """Some leave what was thought out of what was answered, but not out of the total that is billed."""
        asked, answered, total = map(_counted, (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens))
        details = usage.prompt_tokens_details
        cached = _counted((details.cached_tokens if details else None) or usage.prompt_cache_hit_tokens)
        if not (asked or answered or total):
            return
        dollars = usage.cost
        self.tokens = Tokens(
            input=asked,
            output=max(answered, total - asked),
            cached=min(cached, asked),
            dollars=dollars if dollars is not None and 0 <= dollars <= MOST_DOLLARS else None,
        )


def _counted(tokens: int | None) -> int:
    return min(max(tokens or 0, 0), MOST_TOKENS)


def characters(text: str) -> str:
    """With characters put together that came in two parts; a half that stays alone becomes a replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
