"""Members: keeps the registry in step with keys.sqlite, and the ledger in step with both.

Every enrolment and revocation becomes an entry, once: a change is numbered like an envelope
is, so putting it in again after a restart is a repeat. Where the gateway itself ends a key, the
registry knows at once, and keys.sqlite at the next look: after a crash in between it is ended
when it shows again why.
"""

import asyncio
from collections.abc import Mapping
from contextlib import closing, suppress

import structlog

from gateway.errors import ConfigError, ConflictError, GatewayError
from gateway.ledger.batch import CHANGES_KID, Number, Submission
from gateway.ledger.log import Draft
from gateway.registry import Registry, devices_of
from gateway.sequencer import Sequencer
from gateway.store.identities import Change
from gateway.store.keys import KeyStore

_log = structlog.get_logger("members")


class Members:
    """`refresh` is cheap when nothing changed: one pragma."""

    def __init__(self, keys: KeyStore, registry: Registry, sequencer: Sequencer) -> None:
        self._keys = keys
        self.registry = registry
        self._sequencer = sequencer
        self._version: int | None = None
        self._noted = 0
        self._behind = False  # there may be changes that are not in the ledger
        self._succeeded: set[str] = set()  # names, no more of either than there are devices
        self._to_revoke: set[str] = set()
        self._turn = asyncio.Lock()  # at keys.sqlite: who writes locks readers out
        self._writes = False

    async def keep_up(self) -> None:
        """A device that was just added is enrolled in the ledger before its first pack."""
        if self.refresh():
            await self.note_changes()

    def refresh(self) -> bool:
        """Whether there may be changes that are not in the ledger yet."""
        if self._writes:  # what is written is in the registry; what others wrote is seen after it
            return self._behind
        version = self._keys.version()
        if version == self._version:
            return self._behind
        self.registry.replace(devices_of(self._keys.devices()))
        for name in self._succeeded:
            self.registry.succeed(name)
        for name in self._to_revoke:
            self.registry.revoke(name)
        self._version = version
        self._behind = True
        _log.info("devices loaded", devices=len(self.registry))
        return True

    def succeed(self, name: str) -> None:
        """An envelope under the active key of `name` is kept: the key before it ends here."""
        self._succeeded.add(name)
        self.registry.succeed(name)
        _log.info("the new key is in use, the one before is revoked", device=name)

    def revoke(self, name: str, why: str) -> None:
        """No key of `name` counts from here on."""
        self._to_revoke.add(name)
        self.registry.revoke(name)
        _log.error("revoked by the gateway itself", device=name, why=why)

    async def note_changes(self) -> None:
        """Returns once all changes are in the ledger, also those that come meanwhile.

        A GatewayError says why one is not; it is tried again, before later ones, at the next call.
        """
        while changes := await self._changes():
            for change in changes:
                await self._note(change)
        self._behind = False

    async def _changes(self) -> list[Change]:
        async with self._turn:
            return self._keys.changes(self._noted)

    async def _note(self, change: Change) -> None:
        try:
            await self._sequencer.submit(_submission(change))
        except ConflictError as error:
            # keys.sqlite and the ledger are not of one moment: the alert entry says so
            _log.error("keys.sqlite contradicts the ledger", detail=str(error))
        self._noted = max(self._noted, change.n)

    async def watch(self, every_s: float) -> None:
        while True:
            try:
                await self.look()
            except GatewayError as error:
                # what cannot be read stays as it was; a backup may hold keys.sqlite for a while
                _log.warning("members not in step", reason=error.reason, detail=str(error))
            await asyncio.sleep(every_s)

    async def look(self) -> None:
        """Ends in keys.sqlite what ended here, and notes what is new; GatewayError, see there."""
        await self._end_keys()
        self.refresh()
        await self.note_changes()

    async def _end_keys(self) -> None:
        """Not on the event loop: it syncs, and others may hold keys.sqlite for a while."""
        ended = {name: name in self._to_revoke for name in self._succeeded | self._to_revoke}
        if not ended:
            return
        async with self._turn:
            self._writes = True
            try:
                await asyncio.to_thread(_write, self._keys, ended)
            finally:
                self._writes = False
        for name, revoked in ended.items():
            self._succeeded.discard(name)
            if revoked:
                self._to_revoke.discard(name)


def _write(keys: KeyStore, ended: Mapping[str, bool]) -> None:
    """Ends in keys.sqlite all keys of each name, or else the one before the newest."""
    with closing(keys.another()) as own:  # a connection is of one thread
        for name, revoked in sorted(ended.items()):
            if revoked:
                with suppress(ConfigError):  # somebody else was faster
                    own.revoke(name)
            else:
                own.succeed(name)


def _submission(change: Change) -> Submission:
    draft = Draft(change.kind, change.name, change.body)
    return Submission(draft, Number(CHANGES_KID, 0, change.n))
