"""Witnesses over real files, ledgers that ask them, and the door without a socket."""

from pathlib import Path

import httpx2

from gateway.config import HttpConfig
from gateway.http import server
from gateway.http.auth import Guard
from gateway.http.witness import WitnessRoutes
from gateway.ledger import hashes, tree
from gateway.ledger.signer import Signer, verify_signature
from gateway.metrics import Metrics
from gateway.witness import files
from gateway.witness.trust import Neighbours
from gateway.witness.witness import Witness
from protocol import cosignature, witnessing
from protocol import note as notes
from protocol.witnessing import Request
from tests.fakes import NOW_MS, ORIGIN, SEED, FakeDevice, FakeGateway
from tests.gateway.web import TOKENS

NAME = "neighbour.invalid/witness"
VKEY = Signer(ORIGIN, SEED).verifier_text


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


def made(path: Path, name: str = NAME) -> Path:
    path.mkdir(exist_ok=True)
    files.create(path, name)
    return path


def opened(path: Path, trust: tuple[str, ...] = (VKEY,), clock: Clock | None = None) -> Witness:
    witness = files.opened(path, Neighbours(trust).signers, clock or Clock())
    assert witness is not None
    return witness


def grown(size: int, other_from: int | None = None) -> FakeGateway:
    """A ledger of `size`; from `other_from` on its entries are not those of the others."""
    gateway, shed, cellar = FakeGateway(), FakeDevice("shed"), FakeDevice("cellar")
    for n in range(size):  # one by one: then equal histories are equal in their salts, too
        device = shed if other_from is None or n < other_from else cellar
        gateway.commit(device.submission(n))
    gateway.sign()
    return gateway


def note_of(gateway: FakeGateway, size: int) -> str:
    return gateway.signer.sign(size, root_of(gateway, size))


def root_of(gateway: FakeGateway, size: int) -> bytes:
    return gateway.store.read(lambda r: tree.root(size, hashes.reading(r)))


def asking(gateway: FakeGateway, old: int, size: int) -> Request:
    """The honest request of a ledger: from `old` to `size`."""
    proof = gateway.store.read(lambda r: tree.consistency_proof(old, size, hashes.reading(r)))
    return Request(old, proof, note_of(gateway, size))


def time_of(witness: Witness, note: str) -> int | None:
    """When the witness says it cosigned, None where it did not."""
    cosigned = cosignature.check(notes.parse_note(note), witness.key, verify_signature)
    return cosigned.time_s if cosigned else None


class Door:
    """The witness's HTTP, asked without a socket."""

    def __init__(self, witness: Witness, config: HttpConfig | None = None) -> None:
        self.metrics = Metrics()
        guard = Guard(config or HttpConfig(), TOKENS)
        self.app = server.application(WitnessRoutes(witness, guard.check, self.metrics).routes)

    async def ask(self, method: str, path: str, **request: object) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://witness") as client:
            return await client.request(method, path, **request)

    async def add(self, request: Request) -> httpx2.Response:
        body = witnessing.format_request(request)
        return await self.ask("POST", "/add-checkpoint", content=body)
