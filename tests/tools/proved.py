"""A small ledger, and proofs of what is in it, to be checked or spoiled."""

from gateway.ledger import proofs as ledger_proofs
from gateway.ledger.proofs import ReceiptSigner
from gateway.ledger.signer import Signer
from protocol import proof
from protocol.checkpoint import unverified
from protocol.cose_receipt import Inclusion
from tests.fakes import ORIGIN, SEED, FakeDevice, FakeGateway

VKEY = Signer(ORIGIN, SEED).verifier_text
OTHER_KEY = Signer(ORIGIN, bytes(32)).verifier_text
INDEX, SIZE = 3, 7


class Made:
    """A ledger of seven packs, a proof of one of them, and its receipts."""

    def __init__(self):
        self.gateway = FakeGateway()
        self.gateway.fill(4)
        self.older = self.gateway.writer.note
        self.gateway.fill(3, FakeDevice("cellar"))
        self.note = self.gateway.writer.note
        read = self.gateway.store.read
        self.proof = read(lambda r: ledger_proofs.inclusion(r, self.note, INDEX))
        self.root = ReceiptSigner(self.gateway.signer).signed(self.note)
        self.inclusion = Inclusion(INDEX, self.proof.path, self.proof.extra)
        self.continued = read(lambda r: ledger_proofs.continues(r, 4, unverified(self.note)))

    @property
    def text(self):
        return proof.format_proof(self.proof).encode()

    @property
    def receipt(self):
        return self.root.receipt(self.inclusion)


def changed(made, **changes):
    """The proof as text with some of its parts exchanged."""
    parts = {name: getattr(made.proof, name) for name in ("extra", "index", "path", "note")}
    return proof.format_proof(proof.Proof(**parts | changes)).encode()
