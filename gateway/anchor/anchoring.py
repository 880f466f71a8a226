"""Anchoring: the parts that get a gateway's checkpoints into others' memory, together."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from gateway.anchor.anchors import Anchors
from gateway.anchor.client import HttpWitness
from gateway.anchor.rounds import Rounds
from gateway.anchor.standing import Standing
from gateway.anchor.view import Shown
from gateway.anchor.worker import Neighbour
from protocol.policy import Policy

_TIMEOUT_MS = 10_000  # a neighbour that takes longer is away


class Anchoring:
    """Asks every witness of `policy` that has a URL; the other one is the collector."""

    def __init__(
        self, policy: Policy, ledger: Shown, anchors: Anchors, rounds: Rounds, standing: Standing
    ) -> None:
        self.anchors = anchors
        self.standing = standing
        self._rounds = rounds
        self._neighbours = [
            Neighbour(witness, HttpWitness(witness.url, _TIMEOUT_MS), ledger, rounds, anchors)
            for witness in policy.witnesses
            if witness.url
        ]

    async def greet(self, limit_s: float) -> None:
        """Asks all what they remember. RolledBackError where one has seen more than we have."""
        await asyncio.gather(*(neighbour.greet(limit_s) for neighbour in self._neighbours))

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """What runs as long as the gateway does."""
        return [self._rounds.run(), *(neighbour.run() for neighbour in self._neighbours)]

    def heard(self, note: str) -> None:
        """The collector's answer had this note, cosigned."""
        if note and self.anchors.take(note):
            self._rounds.lead(note)
