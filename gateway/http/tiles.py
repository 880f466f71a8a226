"""`GET /tile/…`: the signed tree's hashes and leaves as files that never change (C2SP tlog-tiles).

Hashes are anyone's; entry bundles hold leaves, which say who sent when, and need a token where
`/events` does. Bodies are in neither.
"""

import asyncio
import gzip
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.errors import NotFoundError
from gateway.http.auth import Guard
from gateway.http.negotiation import accepts
from gateway.ledger import proofs
from gateway.store import Store
from protocol import tile as tiles
from protocol.errors import MalformedError
from protocol.tile import ENTRIES, Tile

_YEAR_S = 31_536_000
_GZIP_LEVEL = 6


class TileRoutes:
    def __init__(self, store: Store, guard: Guard, signed_size: Callable[[], int]) -> None:
        self._store = store
        self._guard = guard
        self._signed_size = signed_size
        self.routes = [Route("/tile/{rest:path}", self.tile)]

    async def tile(self, request: Request) -> Response:
        """A full or a partial tile of the signed tree; 404 for what is not all in it."""
        tile = _parsed(f"tile/{request.path_params['rest']}")
        bundle = tile.level == ENTRIES
        if bundle:
            self._guard.check(request, "read")
        size = self._signed_size()
        if not tile.fits(size):
            raise NotFoundError(f"no such tile in a tree of {size} signed entries")
        packed = bundle and accepts(request.headers.get("accept-encoding", ""), "gzip")
        data = await asyncio.to_thread(self._content, tile, packed=packed)
        # a shared cache must not hand out what a token was needed for (RFC 9111 §3.5)
        shared = "private" if bundle else "public"
        headers = {"Cache-Control": f"{shared}, max-age={_YEAR_S}, immutable"}
        if bundle:
            headers["Vary"] = "Accept-Encoding"
        if packed:
            headers["Content-Encoding"] = "gzip"
        return Response(data, media_type="application/octet-stream", headers=headers)

    def _content(self, tile: Tile, *, packed: bool) -> bytes:
        data = self._store.read(lambda reader: proofs.tile_bytes(reader, tile))
        return gzip.compress(data, _GZIP_LEVEL, mtime=0) if packed else data


def _parsed(path: str) -> Tile:
    try:
        return tiles.parse_path(path)
    except MalformedError as error:
        raise NotFoundError(f"no such tile: {error}") from error
