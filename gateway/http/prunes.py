"""`POST /prunes`: bodies deleted because somebody asks for it, a bounded part a request."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.errors import BadQueryError
from gateway.http.auth import Guard
from gateway.ledger import pruning
from gateway.ledger.pruning import Done, Look, Order
from gateway.pruner import Pruner
from gateway.retention import Known
from gateway.store import Store
from protocol.errors import TooLargeError
from protocol.prune import KEPT_KINDS

_MAX_ORDER_BYTES = 4096


class Followed(NamedTuple):
    """What became of an order in one request. `bodies` are deleted; in a dry run, only counted."""

    bodies: int
    size_bytes: int
    done: Done | None
    last: Look
    left: Order | None


class PruneRoutes:
    """One request is followed at a time, and looks at `max_looks` parts of the ledger at most."""

    def __init__(
        self,
        store: Store,
        pruner: Pruner,
        guard: Guard,
        *,
        known: Callable[[], Known],
        max_looks: int = 64,
    ) -> None:
        self._store = store
        self._pruner = pruner
        self._guard = guard
        self._known = known
        self._max_looks = max_looks
        self._one_at_a_time = asyncio.Lock()
        self.routes = [Route("/prunes", self.prune, methods=["POST"])]

    async def prune(self, request: Request) -> Response:
        """Answers after the commit; `next_start` is the `start` of the next request, or null."""
        self._guard.check(request, "admin")
        order = await _order(request)
        known = self._known()
        limit = known.size if order.even_unforwarded else known.forwarded
        async with self._one_at_a_time:
            followed = await self._follow(order, limit)
            erased = followed.left is None and await self._pruner.empty_log()
        held_back = pruning.held_back(order, followed.last, limit, known.size)
        return JSONResponse(_shown(followed) | {"held_back": held_back, "erased": erased})

    async def _follow(self, order: Order, limit: int) -> Followed:
        bodies = size_bytes = looks = 0
        left = order
        while True:
            look, rest = await self._look(left, limit)
            looks += 1
            if order.dry_run:
                bodies, size_bytes = bodies + look.found.bodies, size_bytes + look.found.size_bytes
            elif look.step is not None:
                done = await self._pruner.prune(look.step, order.why)
                if done is not None:
                    return Followed(done.prune.count, done.prune.size_bytes, done, look, rest)
            if rest is None or looks == self._max_looks:
                return Followed(bodies, size_bytes, None, look, rest)
            left = rest

    async def _look(self, order: Order, limit: int) -> tuple[Look, Order | None]:
        pace = self._pruner.pace.step_bytes
        return await asyncio.to_thread(
            self._store.read, lambda reader: pruning.follow(reader, order, limit, pace)
        )


async def _order(request: Request) -> Order:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > _MAX_ORDER_BYTES:
            raise TooLargeError(f"an order over {_MAX_ORDER_BYTES} bytes")
    try:
        order = msgspec.json.decode(bytes(data), type=Order)
    except msgspec.DecodeError as error:
        raise BadQueryError(f"an order to prune is JSON: {error}") from error
    if order.kind in KEPT_KINDS:
        raise BadQueryError(f"entries of kind {order.kind!r} are never pruned")
    return order


def _shown(followed: Followed) -> dict[str, object]:
    done, left = followed.done, followed.left
    return {
        "bodies": followed.bodies,
        "size_bytes": followed.size_bytes,
        "recorded_at": done.recorded_at if done else None,
        "pruned": done.prune._asdict() if done else None,
        "next_start": left.start if left else None,
    }
