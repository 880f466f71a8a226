"""What belongs on a board, and what of it is not there yet. Pure.

/main.py      starts the program; put there last, so that a half-flashed board stands still
/slots.mpy, /slot_start.mpy
              choose the slot: device/slots.py, device/slot_start.py
/a/           the slot that is flashed: device/ and protocol/ as bytecode, and what they are,
              in `manifest`; /b/ is for updates over the air
/p256.tab     what signing needs
/data/        config.json, the key, counters, the outbox: no business of this file
"""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

SLOT = "/a"
DATA = "/data"
MAIN = "/main.py"
TABLE = "/p256.tab"
SELECTOR = {"/slots.mpy": "device/slots.mpy", "/slot_start.mpy": "device/slot_start.mpy"}
MANIFEST = SLOT + "/manifest"
CODE = (SLOT, *SELECTOR, TABLE, MAIN)  # what `flash` owns
_MAIN = b"import slots\nslots.run()\n"
_LAST = (MANIFEST, MAIN)  # without the one no slot is whole, without the other nothing starts


class Plan(NamedTuple):
    """In this order: `remove`, then `folders`, then `put`."""

    remove: list[str]
    folders: list[str]
    put: list[str]

    @property
    def is_empty(self) -> bool:
        return not (self.remove or self.folders or self.put)


def files(modules: Mapping[str, bytes], table: bytes) -> dict[str, bytes]:
    """Path -> content; `table` is empty for a board that does not sign."""
    slot = {name: modules[name] for name in sorted(modules) if name not in SELECTOR.values()}
    wanted = {f"{SLOT}/{name}": content for name, content in slot.items()}
    wanted |= {path: modules[name] for path, name in SELECTOR.items()}
    if table:
        wanted[TABLE] = table
    return wanted | {MANIFEST: _listed(slot), MAIN: _MAIN}


def plan(wanted: Mapping[str, bytes], held: Mapping[str, str]) -> Plan:
    """What makes `held` (path -> SHA-256, "" for a folder; of CODE only) into `wanted`.

    A board that starts in the middle must not run half of one program and half of another: so
    its main.py goes first, and comes last.
    """
    put = [path for path in wanted if held.get(path) != hashlib.sha256(wanted[path]).hexdigest()]
    needed = {folder for path in wanted for folder in _folders(path)}
    stray = [path for path in held if path not in wanted and path not in needed]
    stray.sort(key=lambda path: (-path.count("/"), path))  # a folder after what is in it
    folders = sorted(needed - {path for path, digest in held.items() if not digest})
    if not put and not stray:
        return Plan([], [], [])
    first = [path for path in reversed(_LAST) if path in held]
    return Plan(first + stray, folders, [path for path in put if path not in _LAST] + [*_LAST])


def _listed(slot: Mapping[str, bytes]) -> bytes:
    """As sha256sum would."""
    return "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in slot.items()
    ).encode()


def _folders(path: str) -> list[str]:
    parts = path.split("/")[1:-1]
    return ["/" + "/".join(parts[: depth + 1]) for depth in range(len(parts))]
