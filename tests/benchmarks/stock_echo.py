"""The yardstick: aiocoap as it comes, answering POST /r with 2.04 and no storage at all."""

import asyncio
import sys

import aiocoap
from aiocoap.resource import Resource, Site

_ANSWER = bytes(81)  # as long as a receipt


class Echo(Resource):
    async def render_post(self, request: aiocoap.Message) -> aiocoap.Message:
        return aiocoap.Message(code=aiocoap.CHANGED, payload=_ANSWER)


async def main(port: int) -> None:
    site = Site()
    site.add_resource(["r"], Echo())
    await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", port), transports=["udp6"])
    print("up", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
