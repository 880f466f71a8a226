"""`/fw/VERSION/…`: files of releases. They are public, and a device checks them; see `releases`."""

from gateway.coap import blocks
from gateway.coap.requests import BLOCK2, CONTENT, CONTENT_FORMAT, ETAG, Request, Response, uint
from gateway.metrics import Metrics
from gateway.releases import Releases
from protocol import manifest

FIRMWARE = "fw"
OCTETS = 42  # application/octet-stream


class FirmwareResource:
    def __init__(self, releases: Releases, metrics: Metrics) -> None:
        self._releases = releases
        self._metrics = metrics

    async def get(self, request: Request) -> Response:
        """Cut into blocks by whoever answers. Read here: a file is small, and read once."""
        version, path = ("".join(request.path[1:2]), "/".join(request.path[2:]))
        found = self._releases.read(version, path)
        block = blocks.asked(request, BLOCK2)
        if path == manifest.NAME and (block is None or not block.number):
            self._metrics.coap.updates.labels(version).inc()
        options = [(ETAG, found.etag), (CONTENT_FORMAT, uint(OCTETS))]
        return Response(CONTENT, options, found.content)
