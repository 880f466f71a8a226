"""A ledger file with deleted bodies and key rotations in it, as a gateway leaves one."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gateway import rotate
from gateway.ledger import pruning
from gateway.ledger.signer import Signer
from gateway.ledger.writer import LedgerWriter
from gateway.store import Selection
from protocol.prune import REDACTION, RETENTION
from tests.fakes import ORIGIN, FakeDevice
from tests.gateway import ledger_files
from tests.gateway.ledger_files import Made

SIZE = 600
# what follows the packs 0 to 599: which entry says what
OLD_PRUNE, REDACTED, SHED_PRUNE, FIRST_TURN, SECOND_TURN, LAST = 600, 601, 602, 613, 624, 634
DEVICES = ("shed", "cellar", "roof")  # entry n is of DEVICES[n % 3]


class Ruled(NamedTuple):
    """`notes` are checkpoints by size: 100, of FIRST_TURN, SECOND_TURN and the last.

    `deleted` is what somebody kept of the bodies: salt and body by index.
    """

    made: Made
    vkeys: list[str]
    signers: list[Signer]
    notes: dict[int, str]
    deleted: dict[int, tuple[bytes, bytes]]

    def copy(self, folder: Path) -> "Ruled":
        return self._replace(made=self.made.copy(folder))

    def put_back(self, index: int) -> None:
        sql = "INSERT INTO bodies (idx, salt, body) VALUES (?, ?, ?)"
        self.made.execute(sql, index, *self.deleted[index])


def make(path: Path) -> Ruled:
    """600 packs; 100 of all, one, and 50 of shed deleted; ten more before each of two turns."""
    made = ledger_files.make(path, size=SIZE)
    signers, notes = [made.signer], {100: made.older}
    store = made.open()
    entries = store.read(lambda reader: reader.entries(0, SIZE))
    store.close()

    def prune(writer: LedgerWriter) -> None:
        pruning.commit(writer, Selection(0, 100), RETENTION)
        pruning.commit(writer, Selection(300, 301), REDACTION)
        pruning.commit(writer, Selection(100, 250, "pack", "shed"), RETENTION)
        _ten(1)(writer)

    _write(made, signers[-1], prune)
    for turn, following in ((FIRST_TURN, _ten(2)), (SECOND_TURN, _ten(3))):
        notes[turn] = made.note
        rotate.rotate(made.directory, ORIGIN)
        signers.append(made.directory.load_signer(ORIGIN))
        _write(made, signers[-1], following)
    notes[LAST + 1] = made.note
    deleted = {e.index: (e.salt, e.body) for e in entries if e.body is not None}
    return Ruled(made, [signer.verifier_text for signer in signers], signers, notes, deleted)


def _ten(epoch: int) -> Callable[[LedgerWriter], None]:
    """Packs 0 to 9 of shed's next epoch."""
    device = FakeDevice("shed")

    def write(writer: LedgerWriter) -> None:
        writer.commit([device.submission(n, epoch=1 + epoch) for n in range(10)], {})

    return write


def _write(made: Made, signer: Signer, work: Callable[[LedgerWriter], None]) -> None:
    store = made.open()
    writer = ledger_files.writer_on(store, made.directory, signer)
    work(writer)
    writer.sign_if_due(0, force=True)
    store.close()
