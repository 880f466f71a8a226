"""The HTTP door without a socket: the real application over a ledger in memory."""

import asyncio
import time

import httpx2

from gateway.config import HttpConfig
from gateway.feed import Feed
from gateway.http import server
from gateway.http.auth import Guard
from gateway.http.events import EventRoutes
from gateway.http.proofs import ProofRoutes
from gateway.http.status import Facts, StatusRoutes
from gateway.http.tiles import TileRoutes
from gateway.integrity import Integrity
from gateway.ledger.batch import Kept, Submission
from gateway.ledger.proofs import ReceiptSigner
from gateway.tokens import Token, Tokens, digest_of
from tests.fakes import NOW_MS, ORIGIN, FakeDevice, FakeGateway

PUBLIC = HttpConfig(host="0.0.0.0")  # noqa: S104  # never bound: the guard's choice is tested
TOKENS = Tokens(
    [
        Token("reader", digest_of("read-secret"), "read"),
        Token("ingester", digest_of("ingest-secret"), "ingest"),
        Token("gone", digest_of("old-secret"), "admin", expires_ms=1),
    ]
)


class Web:
    """Entries 0 to 8 are packs of three devices in turn, a second apart; 9 is an alert."""

    def __init__(self, config: HttpConfig | None = None, tokens: Tokens = TOKENS) -> None:
        self.gateway = FakeGateway()
        self.devices = [FakeDevice(name) for name in ("shed", "cellar", "roof")]
        for n in range(9):
            self.gateway.surroundings.now_ms = NOW_MS + n * 1000
            self.gateway.commit(self.devices[n % 3].submission(n))
        self.gateway.commit(self.devices[0].submission(0, value=99))
        self.gateway.sign()
        self.feed = Feed(self.gateway.writer.size, self.gateway.writer.signed_size)
        guard = Guard(config or HttpConfig(), tokens)
        metrics = self.gateway.metrics
        self.integrity = Integrity(metrics, self._submit)
        self.events = EventRoutes(self.gateway.store, self.feed, guard, self.integrity)
        self.facts = Facts(
            origin=ORIGIN,
            size=10,
            signed_size=10,
            note=self.gateway.writer.note,
            pending=0,
            heartbeat=time.monotonic(),
            failing=None,
            clock_trusted=True,
            forward=None,
        )
        status = StatusRoutes(
            self.gateway.store,
            guard,
            metrics,
            lambda: self.facts,
            sections={"integrity": self.integrity.status},
            faults=[self.integrity.faults],
        )
        writer, signer = self.gateway.writer, ReceiptSigner(self.gateway.signer)
        self.note_over = lambda index: writer.note
        proofs = ProofRoutes(
            self.gateway.store,
            guard,
            self.integrity,
            lambda: writer.note,
            signer,
            note_over=lambda index: self.note_over(index),  # noqa: PLW0108  # tests replace it
        )
        tiles = TileRoutes(self.gateway.store, guard, lambda: writer.signed_size)
        self.app = server.application(
            [*self.events.routes, *status.routes, *proofs.routes, *tiles.routes]
        )

    def _submit(self, submission: Submission) -> "asyncio.Future[Kept]":
        (outcome,) = self.gateway.commit(submission)
        kept = self.kept()
        kept.set_result(outcome)
        return kept

    def kept(self) -> "asyncio.Future[Kept]":
        return asyncio.get_running_loop().create_future()

    async def get(
        self, path: str, token: str = "", method: str = "GET", **headers: str
    ) -> httpx2.Response:
        """`headers` are named with _ for -."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        transport = httpx2.ASGITransport(app=self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.request(method, path, headers=headers)

    def tamper(self, index: int, **changes: object) -> None:
        """Changes what is stored of one entry, behind everyone's back."""
        entries = self.gateway.store._data._entries  # the disk of a store in memory
        entry = entries[index]
        fields = {name: getattr(entry, name) for name in entry.__struct_fields__}
        entries[index] = type(entry)(**fields | changes)
