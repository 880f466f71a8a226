"""`/checkpoint`, `/verify`, `/stats`, `/healthz`, `/metrics`: what the gateway says of itself."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.errors import BadQueryError, BusyError, NotFoundError
from gateway.http.auth import Guard
from gateway.ledger import fsck
from gateway.ledger.fsck import Options
from gateway.metrics import CONTENT_TYPE, Metrics
from gateway.store import Store

_MAX_REST_S = 0.05
STALLED_S = 10  # a writer that has not looked up for this long is stuck in a sync


class Facts(NamedTuple):
    """What the writer knows right now."""

    origin: str
    size: int
    signed_size: int
    note: str
    pending: int
    heartbeat: float  # time.monotonic()
    failing: str | None  # reason of the last failed transaction
    clock_trusted: bool
    forward: dict[str, object] | None
    anchored: str = ""  # the note that enough witnesses have cosigned, "" where there is none


class StatusRoutes:
    """`/healthz` is about progress: it fails when nothing could be kept, not when idle."""

    def __init__(
        self,
        store: Store,
        guard: Guard,
        metrics: Metrics,
        facts: Callable[[], Facts],
        *,
        sections: Mapping[str, Callable[[], object]],
        faults: Sequence[Callable[[], Sequence[str]]],
    ) -> None:
        """`sections` are further parts of /stats by name, `faults` further ones of /healthz."""
        self._store = store
        self._guard = guard
        self._metrics = metrics
        self._facts = facts
        self._sections = sections
        self._further_faults = faults
        self._verifying = asyncio.Lock()
        self.routes = [
            Route("/checkpoint", self.checkpoint),
            Route("/verify", self.verify),
            Route("/stats", self.stats),
            Route("/healthz", self.healthz),
            Route("/metrics", self.metrics),
        ]

    async def checkpoint(self, request: Request) -> Response:
        """The last signed note, or the last anchored one. Open to anyone, to be handed around."""
        facts, asked = self._facts(), request.query_params.get("anchored", "0")
        if asked not in ("0", "1"):
            raise BadQueryError("anchored is 1 or 0")
        note = facts.anchored if asked == "1" else facts.note
        if not note:
            raise NotFoundError("nothing is signed yet, or cosigned by enough witnesses")
        return PlainTextResponse(note, headers={"Cache-Control": "no-store"})

    async def verify(self, request: Request) -> Response:
        """Recomputes everything, beside the writer. One at a time."""
        self._guard.check(request, "read")
        if self._verifying.locked():
            raise BusyError("a verification is running; ask again when it is done")
        async with self._verifying:
            facts, options = self._facts(), Options(pause=Rest())
            report = await asyncio.to_thread(
                fsck.check, self._store, facts.origin, facts.note, options
            )
        return JSONResponse(report.as_json(), status_code=200 if report.valid else 500)

    async def stats(self, request: Request) -> Response:
        self._guard.check(request, "read")
        facts = self._facts()
        shown = facts._asdict()
        for inner in ("note", "heartbeat", "anchored"):
            del shown[inner]
        for name, section in self._sections.items():
            shown[name] = section()
        return JSONResponse(shown)

    async def healthz(self, request: Request) -> Response:
        facts = self._facts()
        faults = []
        if facts.failing:
            faults.append(f"the last transaction failed: {facts.failing}")
        if facts.pending and time.monotonic() - facts.heartbeat > STALLED_S:
            faults.append(f"{facts.pending} submissions wait and the writer does not move")
        if not facts.clock_trusted:
            faults.append("the clock is not set, or was set back")
        for further in self._further_faults:
            faults += further()
        return JSONResponse(
            {"status": "failing" if faults else "ok", "faults": faults},
            status_code=503 if faults else 200,
        )

    async def metrics(self, request: Request) -> Response:
        self._guard.check(request, "read")
        return Response(self._metrics.text(), media_type=CONTENT_TYPE)


class Rest:
    """Rests for as long as it worked: writer and doors share the interpreter with a check."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def __call__(self) -> None:
        time.sleep(min(time.monotonic() - self._since, _MAX_REST_S))
        self._since = time.monotonic()
