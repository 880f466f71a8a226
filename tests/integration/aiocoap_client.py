"""One request by aiocoap's client: its parts as JSON in, a JSON line for each answer out.

See tests/integration/coap_clients.py.
"""

import asyncio
import json
import sys
from typing import Any

import aiocoap
from aiocoap.numbers.optionnumbers import OptionNumber
from aiocoap.optiontypes import BlockOption, OpaqueOption


def _message(asked: dict[str, Any]) -> aiocoap.Message:
    code = getattr(aiocoap, asked["method"].upper())
    kind = aiocoap.NON if asked["non"] else aiocoap.CON
    message = aiocoap.Message(code=code, uri=asked["url"], payload=bytes.fromhex(asked["payload"]))
    message.mtype = kind
    if asked["format"] is not None:
        message.opt.content_format = asked["format"]
    if asked["block"]:
        size_exponent = asked["block"].bit_length() - 5
        if asked["payload"]:
            message.remote.maximum_block_size_exp = size_exponent
        else:
            message.opt.block2 = BlockOption.BlockwiseTuple(0, False, size_exponent)
    for number, value in asked["options"]:
        option = OpaqueOption(OptionNumber(number), bytes.fromhex(value))
        message.opt.add_option(option)
    if asked["answers"] > 1:
        message.opt.observe = 0
    return message


async def main(asked: dict[str, Any]) -> None:
    context = await aiocoap.Context.create_client_context(transports=["udp6"])
    try:
        async with asyncio.timeout(asked["timeout_s"]):
            request = context.request(_message(asked))
            _show(await request.response)
            if asked["answers"] > 1:
                left = asked["answers"] - 1
                async for answer in request.observation:
                    _show(answer)
                    left -= 1
                    if not left:
                        request.observation.cancel()
                        return
    finally:
        await context.shutdown()


def _show(answer: aiocoap.Message) -> None:
    shown = {"code": answer.code.dotted, "payload": answer.payload.hex()}
    print(json.dumps(shown), flush=True)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
