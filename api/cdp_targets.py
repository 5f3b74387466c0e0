"""Which of a browser's targets a client may speak to, as far as the browser tells of them in passing. Pure."""

import msgspec

from api.cdp_rules import KINDS, ordinary

NEWS = b'{"method":"Target.'
"""How messages of the browser begin that tell of targets."""

MOST = 10_000


class Info(msgspec.Struct, frozen=True):
    """A target."""

    targetId: str = ""  # noqa: N815 - the wire's name
    type: str = ""
    url: str = ""

    @property
    def open(self) -> bool:
        """Whether a client may attach to it."""
        return self.type in KINDS and ordinary(self.url)


class Params(msgspec.Struct, frozen=True):
    """What is told."""

    sessionId: str = ""  # noqa: N815 - as above
    targetInfo: Info = Info()  # noqa: N815 - as above


class News(msgspec.Struct, frozen=True):
    """An event of the domain Target."""

    method: str
    params: Params = Params()


class Answer(msgspec.Struct, frozen=True):
    """What `Target.getTargetInfo` is answered with."""

    result: Params = Params()


class Targets:
    """Those that one client is attached to, by its DevTools sessions."""

    def __init__(self) -> None:
        self._target: dict[str, str] = {}
        self._apart: set[str] = set()

    def note(self, message: bytes) -> None:
        """A message that begins as NEWS do."""
        try:
            news = msgspec.json.decode(message, type=News)
        except msgspec.DecodeError:
            return
        info, session = news.params.targetInfo, news.params.sessionId
        match news.method:
            case "Target.attachedToTarget" if len(self._target) < MOST:
                self._target[session] = info.targetId
                self._mark(session, info)
            case "Target.attachedToTarget":
                self._apart.add(session)  # one that cannot be followed any more
            case "Target.detachedFromTarget":
                self._target.pop(session, None)
                self._apart.discard(session)
            case "Target.targetInfoChanged":
                for known in [known for known, target in self._target.items() if target == info.targetId]:
                    self._mark(known, info)

    def apart(self, session: str) -> bool:
        """Whether the target of that DevTools session shows something that is none of the web's."""
        return session in self._apart

    def _mark(self, session: str, info: Info) -> None:
        # What a client attaches to by name was asked for before, so that here it is the address that counts.
        (self._apart.discard if ordinary(info.url) else self._apart.add)(session)
