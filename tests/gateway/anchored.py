"""A gateway that anchors, without sockets: its witnesses are real, only the wire is made up."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from gateway.anchor.anchors import Anchors
from gateway.anchor.client import Reply, WitnessError
from gateway.anchor.quorum import policy_of
from gateway.anchor.rounds import Rounds
from gateway.anchor.standing import Standing
from gateway.anchor.view import Shown
from gateway.anchor.worker import Neighbour
from gateway.config import AnchorConfig, AnchorWitness
from gateway.feed import Feed
from gateway.witness.witness import Witness
from protocol import note as notes
from protocol.rotation import Keys
from protocol.witnessing import CONFLICT, COSIGN, FORKED, Request
from tests.fakes import FakeDevice, FakeGateway
from tests.gateway.witnesses import VKEY, Clock, grown, made, opened

LIMIT_S = 10


class FakeWire:
    """A neighbour's door: the witness behind it is real. `faults` are used up, one an ask."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self.down = False
        self.faults: list[Reply | WitnessError] = []
        self.asked: list[Request] = []
        self.shows = True

    async def add(self, request: Request) -> Reply:
        self._fail()
        self.asked.append(request)
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, WitnessError):
                raise fault
            return fault
        decision = self.witness.add(request)
        if decision.reason == COSIGN:
            return Reply(COSIGN, lines=decision.line)
        if decision.reason in (CONFLICT, FORKED):
            return Reply(decision.reason, size=decision.size)
        raise WitnessError(decision.reason)

    async def latest(self, origin: str) -> str:
        self._fail()
        return self.witness.latest(origin) if self.shows else ""

    def _fail(self) -> None:
        if self.down:
            raise WitnessError("unreachable", "nobody there")


class Anchored:
    """A ledger of 20 entries, its neighbours and what it knows of them; all in `folder`."""

    def __init__(
        self,
        folder: Path,
        *,
        neighbours: int = 1,
        quorum: int = 1,
        gateway: FakeGateway | None = None,
    ) -> None:
        self.gateway = gateway or grown(20)
        self.clock = Clock()
        self.wires = []
        for n in range(neighbours):
            path = folder / f"w{n}"
            if not path.exists():
                made(path, f"w{n}")
            self.wires.append(FakeWire(opened(path, (VKEY,), self.clock)))
        self.vkeys = [notes.format_key(wire.witness.key) for wire in self.wires]
        listed = [AnchorWitness(vkey=vkey, url="http://w") for vkey in self.vkeys]
        self.policy = policy_of(AnchorConfig(quorum=quorum, witnesses=listed), collector=False)
        self.remembered: dict[str, bytes] = {}
        writer = self.gateway.writer
        self.feed = Feed(writer.size, writer.signed_size)
        self.start()

    def start(self) -> None:
        """As the gateway starts: it knows nothing but its ledger."""
        keys = Keys(self.gateway.signer.verifier_key)
        self.anchors = Anchors(self.policy, keys, self.gateway.metrics, self.remembered.__setitem__)
        self.shown = Shown(self.gateway.store, keys, self.gateway.signer.origin)
        self.rounds = Rounds(lambda: self.gateway.writer.note, self.feed, 1)
        self.neighbours = [
            Neighbour(witness, wire, self.shown, self.rounds, self.anchors)
            for witness, wire in zip(self.policy.witnesses, self.wires, strict=True)
        ]

    def standing(self) -> Standing:
        metrics = self.gateway.metrics
        size = lambda: self.gateway.writer.size  # noqa: E731
        return Standing(self.anchors, self.shown, size, self.clock, metrics.registry)

    def grow(self, count: int, device: FakeDevice | None = None) -> None:
        self.gateway.fill(count, device or FakeDevice("late"))
        writer = self.gateway.writer
        self.feed.publish(size=writer.size, signed=writer.signed_size)

    async def run_until(self, holds: Callable[[], bool]) -> None:
        """Runs rounds and neighbours until `holds()`, or until one stops with its error."""
        works = [self.rounds.run(), *(neighbour.run() for neighbour in self.neighbours)]
        running = [asyncio.create_task(work) for work in works]
        async with asyncio.timeout(LIMIT_S):
            while not holds() and not any(task.done() for task in running):  # noqa: ASYNC110
                await asyncio.sleep(0)
        stopped = [task for task in running if task.done()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for task in stopped:
            task.result()

    def counted(self, outcome: str, witness: str = "w0") -> float:
        labels = {"witness": witness, "outcome": outcome}
        registry = self.gateway.metrics.registry
        return registry.get_sample_value("tallystick_cosignatures_total", labels) or 0

    def close(self) -> None:
        for wire in self.wires:
            wire.witness.close()
