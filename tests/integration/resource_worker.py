"""A gateway without doors that changes resources until it is killed, and says each step.

`python -m tests.integration.resource_worker DIR SEED`. Lines: `= PATH HEX` for what is there at
the start, then `ready`; `? PATH KIND HEX` before a change, `! PATH` once it is acknowledged.
"""

import asyncio
import random
import sys
from pathlib import Path

from gateway import config as configs
from gateway.config import GatewayConfig
from gateway.directory import Directory
from gateway.errors import NotFoundError
from gateway.hold import Hold
from gateway.resources.tree import ResourceTree
from gateway.wiring import Gateway
from tools.logs import configure_logging

PATHS = [f"home/{name}" for name in "abcdef"] + ["etc/x", "var/log/y"]


def say(*words: object) -> None:
    print(*words, flush=True)


async def work(directory: Directory, seed: int) -> None:
    config = configs.load(directory.config, GatewayConfig)
    gateway = Gateway(directory, config, directory.load_signer(config.origin), failed=say)
    listed = (await gateway.resources.get("proc/resources")).content.decode()
    for line in listed.splitlines():
        path = line.split("\t")[0]
        say("=", path, (await gateway.resources.get(path)).content.hex())
    say("ready")
    dice = random.Random(seed)
    await asyncio.gather(*(change(gateway.resources, path, dice) for path in PATHS))


async def change(tree: ResourceTree, path: str, dice: random.Random) -> None:
    while True:
        kind = dice.choice(["put", "put", "post", "post", "post", "delete"])
        content = b"" if kind == "delete" else dice.randbytes(dice.choice([0, 1, 10, 3000]))
        say("?", path, kind, content.hex() or "-")
        try:
            if kind == "delete":
                await tree.delete(path, who="@ci")
            else:
                await getattr(tree, kind)(path, content, None, who="@ci")
        except NotFoundError:
            pass
        say("!", path)


if __name__ == "__main__":
    configure_logging(as_json=False)  # on stderr: a start may tell of a log that was cut off
    folder = Path(sys.argv[1])
    with Hold(folder, "test"):
        asyncio.run(work(Directory(folder), int(sys.argv[2])))
