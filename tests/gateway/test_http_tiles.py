"""Tiles over HTTP, without a socket: each is what C2SP tlog-tiles and RFC 9162 say, byte by byte.

The reference is `oracles.root`, the RFC's recursive definition, and the formula of tlog-tiles.
"""

import struct
from collections.abc import Iterator

import httpx2
import pytest

from gateway.config import HttpConfig
from gateway.http import server
from gateway.http.auth import Guard
from gateway.http.tiles import TileRoutes
from gateway.ledger.log import Draft, Log, Stamp
from gateway.store.memory import MemoryStore
from gateway.tokens import Tokens
from protocol.leaf import SALT_BYTES
from tests.fakes import NOW_MS, FakeDevice
from tests.gateway.web import PUBLIC, Web
from tests.protocol import oracles


class Tiled:
    """A log of `size` small entries, all of them signed, and its tiles."""

    def __init__(self, size: int) -> None:
        store = MemoryStore()
        drafts = [Draft("pack", f"device-{n % 7}", b"%d" % n) for n in range(size)]
        sealed = Log.empty().seal(drafts, Stamp(NOW_MS, 1), bytes(SALT_BYTES * size))
        store.transact(Log.empty().extended(sealed).put)
        self.leaves = [entry.leaf for entry in sealed]
        tiles = TileRoutes(store, Guard(HttpConfig(), Tokens([])), lambda: size)
        self._app = server.application(tiles.routes)

    async def get(self, *paths: str) -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(app=self._app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return [await client.get(f"/{path}") for path in paths]


def reference(leaves: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """Every full tile, the last one of each level in every width, and the bundles likewise."""
    level = 0
    while count := len(leaves) // 256**level:
        span = 256**level
        hashes = [oracles.root(leaves[n * span : (n + 1) * span]) for n in range(count)]
        yield from in_tiles(f"tile/{level}", hashes)
        level += 1
    yield from in_tiles("tile/entries", [struct.pack(">H", len(leaf)) + leaf for leaf in leaves])


def in_tiles(prefix: str, items: list[bytes]) -> Iterator[tuple[str, bytes]]:
    for n in range(len(items) // 256):
        yield f"{prefix}/{n:03}", b"".join(items[n * 256 : (n + 1) * 256])
    last = len(items) // 256
    for width in range(1, len(items) % 256 + 1):
        yield f"{prefix}/{last:03}.p/{width}", b"".join(items[last * 256 :][:width])


# as tlog-tiles counts them for 70,000: 273 full tiles and one of 112, one and one of 17, one of 1
COUNTS = {0: 0, 1: 2, 255: 510, 256: 3, 257: 5, 70_000: 273 + 112 + 1 + 17 + 1 + 273 + 112}


@pytest.mark.parametrize(("size", "count"), COUNTS.items())
async def test_every_tile_is_that_of_the_reference(size, count):
    log = Tiled(size)
    expected = dict(reference(log.leaves))

    answers = await log.get(*expected)

    served = {str(r.url.path)[1:]: r.content for r in answers if r.status_code == 200}
    assert served == expected
    assert len(served) == count


ABSENT = {
    0: ["tile/0/000", "tile/0/000.p/1", "tile/entries/000.p/1", "tile/63/000.p/1"],
    1: ["tile/0/000", "tile/0/000.p/2", "tile/1/000.p/1", "tile/0/001.p/1"],
    255: ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"],
    256: ["tile/0/001.p/1", "tile/1/000.p/2", "tile/2/000.p/1"],
    257: ["tile/0/001", "tile/0/001.p/2", "tile/1/000.p/2", "tile/entries/001.p/2"],
}


@pytest.mark.parametrize(("size", "paths"), ABSENT.items())
async def test_what_is_not_all_in_the_tree_is_not_found(size, paths):
    answers = await Tiled(size).get(*paths)

    assert [answer.status_code for answer in answers] == [404] * len(paths)


MISSPELLED = ["0/0", "0/000.p/0", "0/000.p/256", "0/x000/000", "00/000", "64/000", "data/000", ""]


@pytest.mark.parametrize("path", MISSPELLED)
async def test_a_tile_has_one_path_and_others_are_not_found(path):
    (answer,) = await Tiled(257).get(f"tile/{path}")

    assert (answer.status_code, answer.json()["title"]) == (404, "not-found")


@pytest.fixture
def web():
    return Web()


async def test_hashes_may_be_kept_for_ever_by_anyone(web):
    response = await web.get("/tile/0/000.p/10")

    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_leaves_may_be_kept_for_ever_but_by_nobody_who_would_share_them(web):
    response = await web.get("/tile/entries/000.p/10")

    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["cache-control"] == "private, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip", "gzip"), ("br, GZIP;q=0.5", "gzip"), ("identity", None), ("gzip;q=0", None)],
)
async def test_a_bundle_is_packed_where_that_is_asked_for(web, accepted, encoding):
    plain = await web.get("/tile/entries/000.p/10", accept_encoding="identity")

    response = await web.get("/tile/entries/000.p/10", accept_encoding=accepted)

    assert response.headers.get("content-encoding") == encoding
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.content == plain.content  # httpx unpacks


async def test_tiles_end_where_the_signed_tree_ends(web):
    web.gateway.commit(FakeDevice("attic").submission(0))

    early = await web.get("/tile/0/000.p/11")
    web.gateway.sign()
    later = await web.get("/tile/0/000.p/11")

    assert (early.status_code, later.status_code) == (404, 200)


async def test_hashes_are_anyones_and_leaves_need_a_token_where_entries_do():
    web = Web(PUBLIC)

    assert (await web.get("/tile/0/000.p/10")).status_code == 200
    assert (await web.get("/tile/entries/000.p/10")).status_code == 401
    assert (await web.get("/tile/entries/000.p/10", "read-secret")).status_code == 200


async def test_a_bundle_holds_leaves_and_no_body(web):
    (entry,) = web.gateway.store.read(lambda r: r.entries(4, 5))

    response = await web.get("/tile/entries/000.p/10", accept_encoding="identity")

    assert entry.leaf in response.content
    assert entry.body not in response.content
