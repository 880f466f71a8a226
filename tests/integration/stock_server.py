"""aiocoap as it comes, with what the abuse cases need: `python -m tests.integration.stock_server`.

Prints its port. /r answers POST, /slow after 1.5 s; /watched changes every 100 ms.
"""

import asyncio
import os
import socket

os.environ["AIOCOAP_REUSE_PORT"] = "0"

import aiocoap
from aiocoap.resource import ObservableResource, Resource, Site

_SLOW_S, _CHANGES_S = 1.5, 0.1


class Echo(Resource):
    async def render_post(self, request: aiocoap.Message) -> aiocoap.Message:
        return aiocoap.Message(code=aiocoap.CHANGED, payload=bytes(81))


class Slow(Resource):
    async def render_post(self, request: aiocoap.Message) -> aiocoap.Message:
        await asyncio.sleep(_SLOW_S)
        return aiocoap.Message(code=aiocoap.CHANGED)


class Watched(ObservableResource):
    async def render_get(self, request: aiocoap.Message) -> aiocoap.Message:
        return aiocoap.Message(payload=b"21.5")

    async def change_forever(self) -> None:
        while True:
            await asyncio.sleep(_CHANGES_S)
            self.updated_state()


async def main() -> None:
    site, watched = Site(), Watched()
    for path, resource in ((["r"], Echo()), (["slow"], Slow()), (["watched"], watched)):
        site.add_resource(path, resource)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    await aiocoap.Context.create_server_context(site, bind=("::", port), transports=["udp6"])
    print(port, flush=True)
    await watched.change_forever()


if __name__ == "__main__":
    asyncio.run(main())
