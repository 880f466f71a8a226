"""Worker: asks one neighbour to cosign, round after round, and hears what it remembers of us."""

import asyncio
import random

import structlog

from gateway.anchor.anchors import Anchors
from gateway.anchor.client import Reply, WitnessClient, WitnessError
from gateway.anchor.rounds import Rounds
from gateway.anchor.view import Shown
from protocol import checkpoint as checkpoints
from protocol.policy import Witness
from protocol.witnessing import CONFLICT, COSIGN

_MAX_DOUBLINGS = 4  # a neighbour that is away for long is asked every 16th round
_log = structlog.get_logger("anchor")


class Neighbour:
    def __init__(
        self,
        witness: Witness,
        client: WitnessClient,
        ledger: Shown,
        rounds: Rounds,
        anchors: Anchors,
    ) -> None:
        self._witness = witness
        self._client = client
        self._ledger = ledger
        self._rounds = rounds
        self._anchors = anchors
        # of the checkpoint it cosigned last, as far as we know
        self._size = anchors.seen[witness.name].size
        self._failures = 0
        self._told = ""  # the reason that is in the log

    async def greet(self, limit_s: float) -> None:
        """Asks what it remembers. RolledBackError where that is more than we have."""
        try:
            async with asyncio.timeout(limit_s):
                note = await self._client.latest(self._ledger.origin)
        except (TimeoutError, WitnessError):
            return  # the first round says why
        await self._hear(note)

    async def run(self) -> None:
        while True:
            note = await self._rounds.past(self._size)
            try:
                await self._ask(note)
            except WitnessError as error:
                await asyncio.sleep(self._failed(error) / 1000)
            else:
                self._failures, self._told = 0, ""

    async def _ask(self, note: str) -> None:
        """WitnessError unless it has cosigned `note`, or a later one. RolledBackError."""
        new_size = checkpoints.unverified(note).size
        reply = await self._added(note)
        if reply.reason == CONFLICT and reply.size <= new_size:
            self._size = reply.size
            reply = await self._added(note)
        if reply.reason == COSIGN:
            self._take(note + reply.lines)
            if self._size < new_size:
                raise WitnessError("no-cosignature", "its answer is not its cosignature")
            return
        await self._hear(await self._client.latest(self._ledger.origin))
        if reply.reason == CONFLICT and new_size < reply.size <= self._ledger.size():
            self._size = reply.size  # of ours, and later: the next round is about more
            return
        raise WitnessError(reply.reason, f"it refuses, and remembers {reply.size} entries")

    async def _added(self, note: str) -> Reply:
        return await self._client.add(
            await asyncio.to_thread(self._ledger.request, self._size, note)
        )

    async def _hear(self, note: str) -> None:
        """Holds its memory against the ledger, and takes the cosignature that is in it."""
        if not note:
            return
        await asyncio.to_thread(self._ledger.hold_to, note, f"the witness {self._witness.key.name}")
        self._take(note)

    def _take(self, note: str) -> None:
        self._anchors.take(note)
        self._size = max(self._size, self._anchors.seen[self._witness.name].size)

    def _failed(self, error: WitnessError) -> float:
        """Counts it; the ms to wait."""
        if self._told != error.reason:
            self._told, name = error.reason, self._witness.key.name
            _log.warning("not cosigned", witness=name, reason=error.reason, detail=str(error))
        self._anchors.failed(self._witness, error.reason)
        wait_ms = self._rounds.every_ms << min(self._failures, _MAX_DOUBLINGS)
        self._failures += 1
        return wait_ms * (0.5 + random.random() / 2)  # noqa: S311  # spreads retries, guards nothing
