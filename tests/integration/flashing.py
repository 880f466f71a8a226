"""Boards that are flashed by the real command, and what is on them afterwards."""

import re
import subprocess
from pathlib import Path

from tests.board.test_virtual import files_on
from tests.board.virtual import VirtualBoard
from tests.device.releases import UPDATE_KEY
from tests.integration.commands import tallystick
from tests.integration.harness import Site

Run = subprocess.CompletedProcess[str]
NEVER = 1_000_000  # flash operations
# Of a virtual board, whose own side takes some: just less than the memory that flashing asks for,
# and just more.
TOO_SMALL_HEAP, LEAST_HEAP = "140K", "142K"
OPTIONS = ("--update-key", UPDATE_KEY.hex(), "--sensor", "simulated,every_ms=200")
_MADE_ANEW = re.compile(r"/data/(epoch\.\d|outbox/.*|clock|slot.*)")  # at every start of a device


def add(site: Site, board: VirtualBoard, name: str = "cellar-1", *more: object) -> Run:
    return tallystick(
        "device", "add", name, "--dir", site.gateway_dir, "--flash", board.link, *more
    )


def rotate(site: Site, board: VirtualBoard, name: str, *more: object) -> Run:
    return tallystick(
        "device", "rotate-key", name, "--dir", site.gateway_dir, "--flash", board.link, *more
    )


def lasting_files(image: Path) -> dict[str, bytes]:
    files = files_on(image)
    return {path: files[path] for path in files if not _MADE_ANEW.fullmatch(path)}


def files_on_or_none(image: Path) -> dict[str, bytes]:
    try:
        return files_on(image)
    except Exception:  # pulled out before it was formatted
        return {}
