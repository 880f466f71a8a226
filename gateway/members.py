"""Members: keeps the registry in step with keys.sqlite, and the ledger in step with both.

Every enrolment and revocation becomes an entry, once: a change is numbered like an envelope
is, so putting it in again after a restart is a repeat.
"""

import asyncio

import structlog

from gateway.errors import ConflictError, GatewayError
from gateway.ledger.batch import CHANGES_KID, Number, Submission
from gateway.ledger.log import Draft
from gateway.registry import Registry, device_of
from gateway.sequencer import Sequencer
from gateway.store.keys import Change, KeyStore
from protocol import cbor, envelope

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

    async def keep_up(self) -> None:
        """A device that was just added is enrolled in the ledger before its first pack."""
        if self.refresh():
            await self.note_changes()

    def refresh(self) -> bool:
        """Whether there may be changes that are not in the ledger yet."""
        version = self._keys.version()
        if version == self._version:
            return self._behind
        self.registry.replace(
            device_of(d.name, d.profile, d.secret, revoked=d.revoked) for d in self._keys.devices()
        )
        self._version = version
        self._behind = True
        _log.info("devices loaded", devices=len(self.registry))
        return True

    async def note_changes(self) -> None:
        """Returns once all changes are in the ledger, also those that come meanwhile.

        A GatewayError says why one is not; it is tried again, before later ones, at the next call.
        """
        while changes := self._keys.changes(self._noted):
            for change in changes:
                await self._note(change)
        self._behind = False

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
                self.refresh()
                await self.note_changes()
            except GatewayError as error:
                # what cannot be read stays as it was; a backup may hold keys.sqlite for a while
                _log.warning("members not in step", reason=error.reason, detail=str(error))
            await asyncio.sleep(every_s)


def _submission(change: Change) -> Submission:
    kid = envelope.kid_of(change.name, change.profile)
    body = cbor.encode({"name": change.name, "profile": change.profile, "kid": kid})
    return Submission(Draft(change.kind, change.name, body), Number(CHANGES_KID, 0, change.n))
