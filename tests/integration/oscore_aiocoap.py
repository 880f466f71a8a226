"""Requests by aiocoap's client under OSCORE: JSON lines in, a JSON line for each answer out.

A process of its own: aiocoap keeps a context's numbers in a folder, and locks it.
`python oscore_aiocoap.py CREDENTIALS`: the file that aiocoap's own tools take.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiocoap


async def _answer(context: aiocoap.Context, asked: dict[str, Any]) -> None:
    code = getattr(aiocoap, asked["method"].upper())
    payload = bytes.fromhex(asked.get("payload", ""))
    message = aiocoap.Message(code=code, uri=asked["url"], payload=payload)
    if "format" in asked:
        message.opt.content_format = asked["format"]
    if "block" in asked:
        message.remote.maximum_block_size_exp = asked["block"]
    if asked.get("answers", 1) > 1:
        message.opt.observe = 0
    request = context.request(message)
    _show(await request.response)
    if asked.get("answers", 1) > 1:
        left = asked["answers"] - 1
        async for answer in request.observation:
            _show(answer)
            left -= 1
            if not left:
                return


def _show(answer: aiocoap.Message) -> None:
    protected = type(answer.remote).__name__ == "OSCOREAddress"
    shown = {"code": answer.code.dotted, "payload": answer.payload.hex(), "protected": protected}
    print(json.dumps(shown), flush=True)


async def main(credentials: dict[str, Any]) -> None:
    context = await aiocoap.Context.create_client_context(transports=["oscore", "udp6"])
    context.client_credentials.load_from_dict(credentials)
    loop = asyncio.get_running_loop()
    try:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            asked = json.loads(line)
            try:
                async with asyncio.timeout(asked.get("timeout_s", 20)):
                    await _answer(context, asked)
            except Exception as error:
                print(json.dumps({"error": repr(error)}), flush=True)
    finally:
        await context.shutdown()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
