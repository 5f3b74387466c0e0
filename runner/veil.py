"""A session as loop and model see it: every text that comes out of it is masked, and only fields take secrets."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from eventstore.human import HumanInput
from runner.inbox import Inbox
from runner.model import Observation
from runner.placeholders import check
from runner.ports import Outcome, Resolved, Session, Touch
from runner.reel import Put
from runner.vocabulary import ActFailed, AnyAction
from runner.wallet import Wallet


class Veiled(Session):
    """The session behind it has the wallet's values; nobody on this side has."""

    uploads: Path | None = None
    inbox: Inbox | None = None
    highlight: bool = False

    def __init__(self, session: Session, wallet: Wallet) -> None:
        session.wallet = wallet
        self.wallet = wallet
        self.version, self.own, self.attached = session.version, session.own, session.attached
        self._session = session
        self._mask = wallet.mask

    @property
    def keep(self) -> bool:
        """That of the session."""
        return self._session.keep

    @keep.setter
    def keep(self, keep: bool) -> None:
        self._session.keep = keep

    async def resolve(self, action: AnyAction) -> Resolved:
        """As the session; a placeholder that cannot be typed is refused first. Raises ActFailed."""
        check(action, self.wallet.names)
        with self._veiled():
            resolved = await self._session.resolve(action)
        if not self._mask:
            return resolved
        return Resolved(
            action=action,
            params=self._mask.json(resolved.params),
            url=self._mask.text(resolved.url),
            target=self._mask.struct(resolved.target) if resolved.target else None,
            onto=self._mask.struct(resolved.onto) if resolved.onto else None,
            secrets=tuple((name, self._mask.text(host)) for name, host in resolved.secrets),
            handle=resolved.handle,
        )

    async def act(self, resolved: Resolved) -> Outcome:
        """As the session."""
        with self._veiled():
            return self._mask.struct(await self._session.act(resolved))

    async def look(self, *, tree: bool, picture: bool = False) -> Observation:
        """As the session."""
        with self._veiled():
            return self._mask.struct(await self._session.look(tree=tree, picture=picture))

    async def screenshot(self) -> bytes:
        """As the session, which covers what would show a value."""
        with self._veiled():
            return await self._session.screenshot()

    async def show(self, put: Put) -> None:
        """As the session, which covers what would show a value."""
        with self._veiled():
            await self._session.show(put)

    async def state(self) -> str:
        """As the session, unmasked: for the vault alone."""
        with self._veiled():
            return await self._session.state()

    async def by_hand(self, asked: HumanInput) -> Touch:
        """As the session."""
        with self._veiled():
            touch = await self._session.by_hand(asked)
            # What is typed key by key makes a value only together: that is masked as it goes on the tape.
            told = {"url": self._mask.text(touch.url), "problem": self._mask.text(touch.problem)}
            return msgspec.structs.replace(touch, **told)

    async def let_go(self) -> None:
        """As the session."""
        with self._veiled():
            await self._session.let_go()

    @contextmanager
    def _veiled(self) -> Iterator[None]:
        """What went wrong may quote the page; what it came from may quote what was typed, and is told to nobody."""
        try:
            yield
        except ActFailed as failure:
            if not self._mask:
                raise
            raise ActFailed(failure.code, self._mask.text(str(failure))) from None
