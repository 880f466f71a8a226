"""Hand-written stand-ins for the outside: clock and dice, devices, a collector.

What can be real is real: envelopes are sealed, ledgers are signed, the collector runs its
receiver. Only time, disks and the network are made up here.
"""

import hashlib
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.collect.receiver import Position, begin, position, receive
from gateway.config import LedgerConfig
from gateway.errors import GatewayError, OutOfOrderError, StoreFailedError
from gateway.forward.upstream import Answer, UpstreamError
from gateway.ledger import rotation
from gateway.ledger.batch import PACK, Kept, Number, Submission
from gateway.ledger.log import Draft
from gateway.ledger.signer import Signer
from gateway.ledger.start import ORIGIN as ORIGIN_STATE
from gateway.ledger.writer import LedgerWriter
from gateway.metrics import Metrics
from gateway.registry import Device, device_of
from gateway.store import Store
from gateway.store.identities import ACTIVE, StoredDevice
from gateway.store.memory import MemoryStore
from gateway.store.reserve import Free
from protocol import batch as batches
from protocol import enrolment, envelope, senml, sign1
from protocol.enrolment import MAC, REVOKED, SIG, Enrolment
from protocol.envelope import UP
from protocol.errors import ProtocolError
from protocol.note import VerifierKey
from protocol.senml import Reading
from tests.signing_vectors import lower

ORIGIN = "test.invalid/ledger"
SEED = bytes(range(32))
NOW_MS = 1_790_000_000_000  # in 2026: a clock that is set
# Their kids agree in the first 7 bytes, which is all that OSCORE has of them. Found by 2**29.5
# tries, as whoever wants two such names can find them.
TWINS = ("bc9d900c9eb866", "7322608aa8a86b")


class FakeSurroundings:
    """A clock that is set by hand, dice that repeat, and a checkpoint file in memory."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS
        self.kept: list[str] = []
        self.checkpoints_fail = False
        self._rolls = 0

    def unix_ms(self) -> int:
        return self.now_ms

    def random(self, size: int) -> bytes:
        self._rolls += 1
        return hashlib.shake_128(self._rolls.to_bytes(8, "big")).digest(size)

    def keep_checkpoint(self, note: str) -> None:
        if self.checkpoints_fail:
            raise StoreFailedError("checkpoint: no space left")
        self.kept.append(note)


class FakeDevice:
    """Seals real envelopes under a secret of its own."""

    def __init__(self, name: str = "shed") -> None:
        self.name = name
        self.secret = hashlib.sha256(name.encode()).digest()
        self.kid = envelope.kid_of(name)

    def known(self, *, revoked: bool = False) -> Device:
        """What the registry holds of it."""
        state = REVOKED if revoked else ACTIVE
        return device_of(StoredDevice(self.name, MAC, self.secret, state))

    def seal(self, sequence: int, *, epoch: int = 1, value: object = 21) -> bytes:
        readings = [Reading(f"{self.name}/temperature", "Cel", value, NOW_MS)]
        return self.seal_payload(senml.encode_pack(f"{self.name}/", readings), sequence, epoch)

    def seal_payload(self, payload: bytes, sequence: int = 0, epoch: int = 1) -> bytes:
        key = envelope.direction_key(self.secret, UP)
        return envelope.seal(key, UP, self.kid, epoch=epoch, sequence=sequence, payload=payload)

    def submission(self, sequence: int, *, epoch: int = 1, value: object = 21) -> Submission:
        body = self.seal(sequence, epoch=epoch, value=value)
        return Submission(Draft(PACK, self.name, body), Number(self.kid, epoch, sequence))


class SigningDevice:
    """Signs real envelopes with a key of its own, one after another."""

    def __init__(self, name: str = "roof", *, key: int = 7) -> None:
        self.name = name
        self.secret = hashlib.sha256(name.encode()).digest()
        self._key = ec.derive_private_key(key, ec.SECP256R1())
        point = self._key.public_key().public_numbers()
        self.public_key = point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
        self.kid = envelope.kid_of(name, SIG, public_key=self.public_key)
        self.before = bytes(sign1.BEFORE_BYTES)

    def known(self, *, revoked: bool = False) -> Device:
        """What the registry holds of it."""
        state = REVOKED if revoked else ACTIVE
        return device_of(StoredDevice(self.name, SIG, self.secret, state, 0, self.public_key))

    def enrolled(self) -> Submission:
        body = enrolment.encode(Enrolment(self.name, SIG, 0, self.public_key))
        return Submission(Draft(enrolment.ENROLLED, self.name, body))

    def sign(self, sequence: int, *, epoch: int = 1, value: object = 21) -> bytes:
        """The next envelope; it says which one was before."""
        readings = [Reading(f"{self.name}/temperature", "Cel", value, NOW_MS)]
        payload = senml.encode_pack(f"{self.name}/", readings)
        sealed = self.sign_payload(payload, sequence, epoch)
        self.before = sign1.link(sealed)
        return sealed

    def sign_payload(self, payload: bytes, sequence: int = 0, epoch: int = 1) -> bytes:
        return sign1.seal(
            lambda digest: lower(self._signature(digest)),
            self.kid,
            epoch=epoch,
            sequence=sequence,
            before=self.before,
            payload=payload,
        )

    def submission(self, sequence: int, *, epoch: int = 1, value: object = 21) -> Submission:
        body = self.sign(sequence, epoch=epoch, value=value)
        return Submission(Draft(PACK, self.name, body), Number(self.kid, epoch, sequence))

    def _signature(self, digest: bytes) -> bytes:
        algorithm = ec.ECDSA(Prehashed(SHA256()), deterministic_signing=True)
        r, s = decode_dss_signature(self._key.sign(digest, algorithm))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class FakeGateway:
    """A real writer over a store, with what it needs around it; no thread, no directory."""

    def __init__(self, store: Store | None = None, *, seed: bytes = SEED, **limits: int) -> None:
        self.store = MemoryStore() if store is None else store
        self.signer = Signer(ORIGIN, seed)
        self.surroundings = FakeSurroundings()
        self.metrics = Metrics()
        self.config = LedgerConfig(**limits)
        self.store.transact(lambda t: t.put_state(ORIGIN_STATE, ORIGIN.encode()))
        self.writer = self.new_writer()

    def new_writer(self) -> LedgerWriter:
        return LedgerWriter(self.store, self.signer, self.surroundings, self.config, self.metrics)

    def commit(self, *submissions: Submission) -> list[Kept | GatewayError]:
        return self.writer.commit(submissions, {})

    def fill(self, count: int, device: FakeDevice | None = None) -> None:
        """`count` more packs, committed together, then signed."""
        device, start = device or FakeDevice(), self.writer.size
        self.commit(*(device.submission(n) for n in range(start, start + count)))
        self.sign()

    def sign(self) -> str:
        self.writer.sign_if_due(0, force=True)
        return self.writer.note

    def rotate(self, seed: bytes) -> str:
        """The key of `seed` takes over; returns its first checkpoint."""
        new = Signer(ORIGIN, seed)
        turn = self.store.read(lambda reader: rotation.turn(reader, self.signer, new))
        self.writer.commit_with(lambda _: ([Submission(turn.draft)], None), turn.states)
        self.signer = new
        self.writer = self.new_writer()
        return self.sign()


class FakeReserve:
    """A disk with as much room as a test says."""

    def __init__(self) -> None:
        self.room = Free(1 << 40, None)
        self.can_be_taken = True
        self.held = False

    def take(self) -> bool:
        self.held = self.can_be_taken
        return self.held

    def release(self) -> None:
        self.held = False

    def free(self) -> Free:
        return self.room


class FakeUpstream:
    """A collector in memory: its receiver is the real one, its network is told what to do.

    `faults` are used up one an ask, None for none; `lose_answers` counts pushes that are kept
    and whose answers do not arrive.
    """

    def __init__(self, key: VerifierKey) -> None:
        self.store = MemoryStore()
        self.store.transact(lambda t: begin(t, key.name))
        self.key = key
        self.down = False
        self.faults: list[UpstreamError | None] = []
        self.lose_answers = 0
        self.max_bytes = 1 << 30
        self.pushed: list[tuple[int, int]] = []  # [start, stop) of each batch that arrived
        self.on_push: Callable[[], None] = lambda: None

    @property
    def size(self) -> int:
        return self.store.read(position).next_index

    async def position(self, origin: str) -> Answer:
        self._fail()
        return _answer(self.store.read(position))

    async def push(self, batch: bytes) -> Answer:
        self._fail()
        if len(batch) > self.max_bytes:
            raise UpstreamError("too-large", "413")
        answer = self._receive(batch)
        self.on_push()
        if self.lose_answers:
            self.lose_answers -= 1
            raise UpstreamError("unreachable", "the answer was lost")
        return answer

    def _fail(self) -> None:
        if self.down:
            raise UpstreamError("unreachable", "nobody there")
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault

    def _receive(self, data: bytes) -> Answer:
        batch = batches.decode(data)
        self.pushed.append((batch.start, batch.stop))
        try:
            return _answer(self.store.transact(lambda t: receive(t, batch, self.key)))
        except OutOfOrderError as error:
            raise UpstreamError(error.reason, str(error), next_index=error.next_index) from error
        except (GatewayError, ProtocolError) as error:
            raise UpstreamError(error.reason, str(error)) from error


def _answer(found: Position) -> Answer:
    return Answer(found.next_index, found.note)
