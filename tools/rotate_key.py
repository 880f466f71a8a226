"""`tallystick rotate-key`: a new ledger key in the place of the old one."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gateway import config as configs
from gateway import rotate
from gateway.config import GatewayConfig
from gateway.directory import Directory
from gateway.hold import Hold


def rotate_key(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="a gateway's, and it is stopped")],
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Exchange the key that signs DIR's ledger. The ledger goes on; the old key ends with it.

    Both keys sign the entry that says so. Collectors follow by themselves.

    Example: tallystick rotate-key garden
    """
    directory = Directory(path)
    origin = configs.load(directory.config, GatewayConfig).origin
    with Hold(path, "rotate-key"):
        done = rotate.rotate(directory, origin)
    if json_:
        print(json.dumps(done._asdict()))
        return
    if done.resumed:
        print("a rotation that was interrupted is complete now; there was no second one")
    print(f"entry {done.entry}: what comes after it is signed by\n  {done.new}")
    print(f"and no longer by\n  {done.old}")
    print(
        "collectors follow by themselves; give the new key to whoever verifies, and back up\n"
        "signer.key again. The old one was overwritten; a copy of it elsewhere signs nothing new"
    )
