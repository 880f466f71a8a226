"""`POST /add-checkpoint`, `GET /{hash}/checkpoint` (C2SP tlog-witness) and `GET /evidence`.

The first two are open to anyone: it is the log's signature that counts. So what an asker can
cost is bounded before anything is read.
"""

import asyncio
import hashlib
from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.errors import BadQueryError, BusyError, GatewayError, NotFoundError
from gateway.http.problems import problem
from gateway.metrics import Metrics
from gateway.witness.witness import Decision, Witness
from protocol import witnessing
from protocol.errors import ProtocolError, TooLargeError
from protocol.witnessing import CONFLICT, COSIGN, STATUS

_MAX_WAITING = 32  # askers; one is judged at a time
_READ_S = 10  # a body that comes slower is dropped
_Result = TypeVar("_Result")


class WitnessRoutes:
    """`check(request, scope)` refuses whoever may not."""

    def __init__(
        self, witness: Witness, check: Callable[[Request, str], None], metrics: Metrics
    ) -> None:
        self._witness = witness
        self._check = check
        self._metrics = metrics
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0
        self.routes = [
            Route("/add-checkpoint", self.add, methods=["POST"]),
            Route("/evidence", self.evidence),
            Route("/{origin_hash}/checkpoint", self.latest),
        ]

    async def add(self, request: Request) -> Response:
        """Cosigns a checkpoint that continues the last one; the statuses are the standard's."""
        try:
            asked = witnessing.parse_request(await _body(request))
            decision = await self._alone(lambda: self._witness.add(asked))
        except (ProtocolError, GatewayError) as error:
            self._metrics.outcomes.labels("witness", error.reason).inc()
            raise
        self._metrics.outcomes.labels("witness", decision.reason).inc()
        return _told(decision)

    async def latest(self, request: Request) -> Response:
        """The checkpoint of an origin that was cosigned last, by the SHA-256 of its name."""
        asked = request.path_params["origin_hash"]
        note = await self._alone(lambda: self._by_hash(asked))
        if not note:
            raise NotFoundError("nothing was ever cosigned for such an origin")
        return PlainTextResponse(note, headers={"Cache-Control": "no-store"})

    async def evidence(self, request: Request) -> Response:
        """The contradictions that were kept of `?origin=`, oldest first."""
        self._check(request, "read")
        origin = request.query_params.get("origin")
        if not origin:
            raise BadQueryError("say of which ledger: ?origin=NAME")
        kept = await self._alone(lambda: self._witness.evidence(origin))
        shown = [found._asdict() | {"proof": found.proof.split()} for found in kept]
        return JSONResponse({"origin": origin, "evidence": shown})

    async def _alone(self, work: Callable[[], _Result]) -> _Result:
        if self._waiting >= _MAX_WAITING:
            raise BusyError(f"{self._waiting} requests wait for this witness")
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1

    def _by_hash(self, asked: str) -> str:
        for origin in self._witness.origins():
            if hashlib.sha256(origin.encode()).hexdigest() == asked:
                return self._witness.latest(origin)
        return ""


async def _body(request: Request) -> bytes:
    """At most the longest request; nothing of a longer one that says so is read."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > witnessing.MAX_REQUEST_BYTES:
        raise _too_large()
    data = bytearray()
    try:
        async with asyncio.timeout(_READ_S):
            async for chunk in request.stream():
                data += chunk
                if len(data) > witnessing.MAX_REQUEST_BYTES:
                    raise _too_large()
    except TimeoutError as error:
        raise BusyError(f"the request did not arrive within {_READ_S} s") from error
    return bytes(data)


def _too_large() -> TooLargeError:
    return TooLargeError(f"a request over {witnessing.MAX_REQUEST_BYTES} bytes")


def _told(decision: Decision) -> Response:
    if decision.reason == COSIGN:
        return PlainTextResponse(decision.line)
    status = STATUS[decision.reason]
    if decision.reason == CONFLICT:
        # as a header, not as a media type: Starlette would add a charset
        headers = {"Content-Type": witnessing.SIZE_CONTENT_TYPE}
        return Response(f"{decision.size}\n", status, headers)
    return problem(status, decision.reason, decision.detail)
