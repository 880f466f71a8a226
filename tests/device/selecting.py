"""A board's slots and what its selector knows, as files."""

from pathlib import Path

from device.slots import Slots
from tests.device.releases import release

FILES = {"device/main.mpy": b"main", "protocol/coap.mpy": b"coap"}


def new_board(root: Path) -> Path:
    """1.0.0 in /a, nothing in /b."""
    release(root, FILES, version="1.0.0", counter=1).rename(root / "a")
    for folder in ("b", "data"):
        (root / folder).mkdir()
    return root


def started(root: Path) -> Slots:
    """What the next start finds on flash."""
    return Slots(f"{root}/", f"{root}/data")


def on_trial(root: Path, version: str = "1.1.0", counter: int = 5) -> None:
    slots = started(root)
    slots.want(version)
    slots.try_out(counter)


def rot(file: Path, damage: bytes | None = None) -> None:
    """One bit in the middle of it, or all of it."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content if damage is None else damage)
