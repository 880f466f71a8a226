"""`GET /events/{index}/proof` and `/proof/consistency`: what can be checked without us.

Text for people and files (C2SP tlog-proof), or a COSE Receipt (RFC 9942) for whoever accepts
`application/cose`.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.errors import BadQueryError, IntegrityError, UnsignedError
from gateway.http.auth import Guard
from gateway.http.events import whole
from gateway.http.negotiation import accepts
from gateway.integrity import Integrity
from gateway.ledger import proofs
from gateway.ledger.proofs import ReceiptSigner
from gateway.store import Reader, Store
from protocol import checkpoint as checkpoints
from protocol import note as notes
from protocol.checkpoint import Checkpoint
from protocol.cose_receipt import MEDIA_TYPE, Inclusion
from protocol.merkle import EMPTY_ROOT
from protocol.proof import format_proof

_COSE = "application/cose"
_UNSIGNED = Checkpoint("", 0, EMPTY_ROOT)
_VARY = {"Vary": "Accept"}
_Result = TypeVar("_Result")


class ProofRoutes:
    """`note` gives the last checkpoint, which is on stable storage when it does.

    `note_over` gives the one to show entry `index` under: the last one, or, where it covers the
    entry, one that others have cosigned.
    """

    def __init__(
        self,
        store: Store,
        guard: Guard,
        integrity: Integrity,
        note: Callable[[], str],
        signer: ReceiptSigner,
        *,
        note_over: Callable[[int], str],
    ) -> None:
        self._store = store
        self._guard = guard
        self._integrity = integrity
        self._note = note
        self._note_over = note_over
        self._signer = signer
        self.routes = [
            Route("/events/{index}/proof", self.inclusion),
            Route("/proof/consistency", self.consistency),
        ]

    async def inclusion(self, request: Request) -> Response:
        """The entry, its place and the checkpoint over it, checked before it is given away."""
        self._guard.check(request, "read")
        index, cose = whole(request.path_params["index"], "the event id"), _wants_cose(request)
        note = self._note() if cose else self._note_over(index)
        proof = await self._read(lambda reader: proofs.inclusion(reader, note, index))
        if not cose:
            return PlainTextResponse(format_proof(proof), headers=_VARY)
        root = self._signer.signed(note)
        receipt = root.receipt(Inclusion(index, proof.path, proof.extra))
        return Response(receipt, media_type=MEDIA_TYPE, headers=_VARY)

    async def consistency(self, request: Request) -> Response:
        """That the tree of `to`, by default the signed one, starts with the tree of `from`.

        Checked before it is given away, up to the signed tree.
        """
        self._guard.check(request, "read")
        note = self._note()
        signed = checkpoints.unverified(note) if note else _UNSIGNED
        old, new = _sizes(request.query_params, signed.size)
        if _wants_cose(request):
            return await self._consistency_receipt(note, old, new)
        path = await self._read(lambda reader: proofs.consistency(reader, old, new, signed))
        shown = {"from": old, "to": new, "hashes": [notes.b64(node) for node in path]}
        return JSONResponse(shown, headers=_VARY)

    async def _consistency_receipt(self, note: str, old: int, new: int) -> Response:
        root = self._signer.signed(note)
        size = root.checkpoint.size
        if new != size or not 0 < old < new:
            raise BadQueryError(f"a receipt goes from 1 or more to the signed size, {size}")
        proof = await self._read(lambda r: proofs.continues(r, old, root.checkpoint))
        return Response(root.receipt(proof), media_type=MEDIA_TYPE, headers=_VARY)

    async def _read(self, work: Callable[[Reader], _Result]) -> _Result:
        try:
            return await asyncio.to_thread(self._store.read, work)
        except IntegrityError as error:
            self._integrity.found(error)
            raise


def _wants_cose(request: Request) -> bool:
    return accepts(request.headers.get("accept", ""), _COSE)


def _sizes(parameters: Mapping[str, str], signed: int) -> tuple[int, int]:
    """`from` and `to`. BadQueryError, or UnsignedError for a size that is not signed yet."""
    for name in parameters:
        if name not in ("from", "to"):
            raise BadQueryError(f"no parameter {name!r}; there are from, to")
    if "from" not in parameters:
        raise BadQueryError("say from which size: ?from=N")
    old = whole(parameters["from"], "from")
    new = whole(parameters["to"], "to") if "to" in parameters else signed
    if max(old, new) > signed:
        raise UnsignedError(f"the signed tree has {signed} entries, not {max(old, new)} yet")
    if old > new:
        raise BadQueryError(f"from {old} to {new} is backwards")
    return old, new
