"""Some lives of a gateway in short: all that is ever written, in an order the seed decides."""

from collections.abc import Callable
from random import Random

from gateway import directory as directories
from gateway.directory import Directory
from gateway.ledger.batch import Submission
from gateway.ledger.signer import Signer
from tests.fakes import ORIGIN, FakeDevice
from tests.storage.lives import CURSOR, Life, Witness, rotate

CONFIG = f'origin = "{ORIGIN}"\n'
_PAST = 300  # entries: over the first stored subtree hash, at 256
_MAX_BATCH = 30
_PATIENCE = 20


def create(directory: Directory) -> Signer:
    """A new gateway, as `tallystick init` makes it."""
    signer = directories.create(directory.path, ORIGIN, CONFIG)
    (directory.path / "verifier.key").write_text(f"{signer.verifier_text}\n")
    return signer


class Workload:
    """Batches, repeats, conflicts, enrolments, states, checkpoints, prunes, a rotation.

    `turning` is told when a turn begins, and when it is over.
    """

    def __init__(
        self,
        directory: Directory,
        witness: Witness,
        dice: Random,
        turning: Callable[[bool], None] = lambda begins: None,
    ) -> None:
        self._directory = directory
        self._witness = witness
        self._dice = dice
        self._devices: list[FakeDevice] = []
        self._sent: list[tuple[FakeDevice, int]] = []
        self._next: dict[str, int] = {}
        self._enrolled = 0
        self._turning = turning

    def run(self) -> None:
        life = Life(self._directory, self._witness, patience=_PATIENCE)
        life.remember()
        restarts = [(_PAST // 3, Life), (_PAST * 2 // 3, rotate)]
        while life.writer.size < _PAST:
            self._turning(True)
            self._turn(life)
            self._turning(False)
            if restarts and life.writer.size >= restarts[0][0]:
                _, start = restarts.pop(0)
                life.sign()
                life.close()
                life = start(self._directory, self._witness, patience=_PATIENCE)
        life.sign()
        life.close()

    def _turn(self, life: Life) -> None:
        if len(self._devices) < 2 or self._dice.random() < 0.1:
            self._enrol(life)
        states = {CURSOR: b"%d" % life.writer.size} if self._dice.random() < 0.3 else {}
        count = self._dice.randint(0 if states else 1, _MAX_BATCH)
        life.commit([self._pack() for _ in range(count)], states)
        if self._dice.random() < 0.5:
            life.sign()
        if self._dice.random() < 0.15:
            first = self._dice.randrange(life.writer.size)
            life.prune(first, min(first + 20, life.writer.size))

    def _enrol(self, life: Life) -> None:
        device = FakeDevice(f"board-{self._enrolled}")
        self._enrolled += 1
        life.enrol(device.name, device.secret)
        self._devices.append(device)
        if len(self._devices) > 2:
            life.revoke(self._devices.pop(0).name)

    def _pack(self) -> Submission:
        draw = self._dice.random()
        if self._sent and draw < 0.1:
            device, sequence = self._dice.choice(self._sent)
            return device.submission(sequence, value=21 if draw < 0.07 else 99)
        device = self._dice.choice(self._devices)
        sequence = self._next.get(device.name, 0)
        self._next[device.name] = sequence + 1
        self._sent.append((device, sequence))
        return device.submission(sequence)
