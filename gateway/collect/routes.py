"""The collector's HTTP: take batches, say where each origin stands."""

import asyncio
import functools
from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.collect.cosigning import Cosigning
from gateway.collect.origins import Origins
from gateway.collect.receiver import Position
from gateway.errors import BadQueryError, ForkedError, GatewayError, UnsupportedFormatError
from gateway.metrics import CONTENT_TYPE, Metrics
from protocol import batch as batches
from protocol import note as notes
from protocol.batch import Batch
from protocol.errors import ProtocolError, TooLargeError

_CBOR = "application/cbor"
_Result = TypeVar("_Result")
Check = Callable[[Request, str], None]


class CollectRoutes:
    """`check(request, scope)` refuses whoever may not; one batch is worked on at a time."""

    def __init__(
        self,
        origins: Origins,
        cosigning: Cosigning,
        check: Check,
        metrics: Metrics,
        max_batch_bytes: int,
    ) -> None:
        self._origins = origins
        self._cosigning = cosigning
        self._check = check
        self._metrics = metrics
        self._max_batch_bytes = max_batch_bytes
        self._one_at_a_time = asyncio.Lock()
        self.routes = [
            Route("/batches", self.position, methods=["GET"]),
            Route("/batches", self.receive, methods=["POST"]),
            Route("/origins", self.list_origins),
            Route("/healthz", self.healthz),
            Route("/metrics", self.metrics),
        ]

    async def receive(self, request: Request) -> Response:
        try:
            self._check(request, "ingest")
            answer = await self._receive(request)
        except (ProtocolError, GatewayError) as error:
            self._metrics.outcomes.labels("collect", error.reason).inc()
            raise
        self._metrics.outcomes.labels("collect", "kept").inc()
        return answer

    async def position(self, request: Request) -> Response:
        self._check(request, "ingest")
        origin = request.query_params.get("origin")
        if not origin:
            raise BadQueryError("say which ledger: ?origin=NAME")
        found = await self._blocking(lambda: self._origins.position(origin))
        rotations = await self._blocking(lambda: self._origins.rotations(origin))
        return await self._blocking(lambda: self._answer(origin, found, rotations=rotations))

    async def list_origins(self, request: Request) -> Response:
        self._check(request, "read")
        shown = []
        for origin in self._origins.names():
            found = await self._blocking(functools.partial(self._origins.position, origin))
            key = await self._blocking(functools.partial(self._origins.current_key, origin))
            charges = await self._blocking(functools.partial(self._cosigning.charges, origin))
            shown.append(
                {
                    "origin": origin,
                    "entries": found.next_index,
                    "checkpoint": found.note or None,
                    "verifier_key": notes.format_key(key),
                    "evidence": charges,
                }
            )
        return JSONResponse({"origins": shown})

    async def healthz(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def metrics(self, request: Request) -> Response:
        self._check(request, "read")
        return Response(self._metrics.text(), media_type=CONTENT_TYPE)

    async def _receive(self, request: Request) -> Response:
        if request.headers.get("content-type") != _CBOR:
            raise UnsupportedFormatError(f"a batch is {_CBOR}")
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > self._max_batch_bytes:
                raise TooLargeError(f"a batch over {self._max_batch_bytes} bytes")
        return await self._blocking(lambda: self._kept(batches.decode(bytes(data))))

    def _kept(self, batch: Batch) -> Response:
        try:
            position = self._origins.receive(batch)
        except ForkedError:
            self._cosigning.accuse(batch)
            raise
        return self._answer(batch.origin, position)

    def _answer(self, origin: str, position: Position, **more: object) -> Response:
        shown = {
            "next_index": position.next_index,
            "checkpoint": position.note,
            "cosigned": self._cosigning.cosigned(origin),
        }
        return JSONResponse(shown | more)

    async def _blocking(self, work: Callable[[], _Result]) -> _Result:
        async with self._one_at_a_time:
            return await asyncio.to_thread(work)
